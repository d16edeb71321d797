//! CometChat as a destination: its settings, its rules and its transport put together.

use std::num::NonZeroU32;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use chatferry_core::{
    Answer, Delivery, Destination, Entity, Failure, Files, Permit, Prepared, Record, RecordId,
};
use chrono::Utc;
use http::Method;

use crate::client::{Http, Reply, Transport, TransportError};
use crate::placeholder::placeholder;
use crate::policy::Policy;
use crate::prepare::prepare;
use crate::request;
use crate::response;
use crate::settings::{Retention, Settings};

/// CometChat as a destination.
#[derive(Debug)]
pub struct CometChat {
    pub(crate) delivery: Delivery,
    /// How many requests a minute all of the API takes that does not import.
    pub(crate) other_requests_per_minute: Option<NonZeroU32>,
    retention: Retention,
    /// Who knows where files are by now, if they are anywhere else than where they were.
    files: Option<Arc<dyn Files>>,
    pub(crate) transport: Arc<dyn Transport>,
}

impl CometChat {
    /// The app that the settings name, over HTTP.
    ///
    /// # Errors
    ///
    /// When the key's file cannot be read, or the key cannot be sent. The text reads after
    /// "cannot use the destination:".
    pub fn connect(settings: &Settings) -> Result<Self, String> {
        let key = settings
            .api_key
            .reveal()
            .map_err(|error| error.to_string())?;
        let http = Http::new(&settings.base_url, &key, settings.timeout)?;
        Ok(Self::over(settings, Arc::new(http)))
    }

    /// The rules alone, for a look at what would be sent. Whatever is sent is answered with
    /// "unreachable".
    #[must_use]
    pub fn offline(settings: &Settings) -> Self {
        Self::over(settings, Arc::new(Nowhere))
    }

    /// The same rules over another transport, such as a simulator in the same process.
    #[must_use]
    pub fn over(settings: &Settings, transport: Arc<dyn Transport>) -> Self {
        Self {
            delivery: settings.delivery,
            other_requests_per_minute: settings.other_requests_per_minute,
            retention: settings.retention,
            files: None,
            transport,
        }
    }

    /// The same, with records that say where their files are by now.
    #[must_use]
    pub fn with_files(self, files: Option<Arc<dyn Files>>) -> Self {
        Self { files, ..self }
    }
}

/// A transport that leads nowhere.
#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Transport for Nowhere {
    async fn ask(
        &self,
        _method: Method,
        _path: &str,
        _body: Bytes,
    ) -> Result<Reply, TransportError> {
        Err(TransportError::Unreachable("this is a preview".into()))
    }
}

#[async_trait]
impl Destination for CometChat {
    fn delivery(&self) -> Delivery {
        self.delivery
    }

    fn prepare(&self, entity: Entity, rows: &RecordBatch, now: i64) -> Vec<Prepared> {
        prepare(
            entity,
            rows,
            &Policy {
                retention: self.retention,
                files: self.files.as_deref(),
                now,
            },
        )
    }

    fn placeholder(&self, entity: Entity, id: &RecordId, name: &str) -> Option<Record> {
        placeholder(entity, id, name)
    }

    async fn send(&self, _permit: Permit, entity: Entity, records: &[Record]) -> Answer {
        let body = request::body(entity, records);
        let bytes = body.len();
        match self.transport.post(request::path(entity), body).await {
            Ok(reply) => {
                let receipts = response::receipts(entity, records, &reply, Utc::now().timestamp());
                Answer {
                    status: Some(reply.status),
                    bytes,
                    receipts,
                }
            }
            Err(TransportError::Unreachable(what)) => Answer {
                status: None,
                bytes,
                receipts: Err(Failure::Unreachable { what }),
            },
            Err(TransportError::Lost(what)) => Answer {
                status: None,
                bytes,
                receipts: Err(Failure::Doubt {
                    what,
                    foreign: false,
                }),
            },
        }
    }
}
