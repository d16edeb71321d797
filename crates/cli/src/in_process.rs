//! The simulator as a transport, without a socket: the same handler that serves HTTP.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use chatferry_cometchat::{Reply, Transport, TransportError};
use chatferry_simulator::Simulator;
use http::{Method, Request};

/// A simulator in the same process.
pub struct InProcess(pub Simulator);

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Reply, TransportError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/v3{path}"))
            .header("apikey", "rehearsal")
            .header("content-type", "application/json")
            .body(body)
            .expect("the parts of this request are sound");
        match self.0.answer(request).await {
            Ok(response) => {
                let (parts, body) = response.into_parts();
                Ok(Reply {
                    status: parts.status.as_u16(),
                    headers: parts.headers,
                    body,
                })
            }
            Err(dropped) => Err(TransportError::Lost(dropped.to_string())),
        }
    }
}
