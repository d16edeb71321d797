//! The status page of a run: where it listens, and what it is told at the end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use chatferry_core::Account;
use chatferry_live::{About, Board, Ending, Hosts, Live};
use chatferry_runtime::Ended;
use chrono::{DateTime, Utc};

use crate::account::advice;
use crate::args::ListenArgs;
use crate::commands::run::end;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Reads where to listen: a port of this machine, or an address and a port.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let port = match text.rsplit_once(':') {
        None | Some(("" | "localhost", _)) => text.rsplit(':').next().unwrap_or_default(),
        Some(_) => {
            return text.parse().map_err(|_| {
                "it is a port, or an address and a port: 9090, 127.0.0.1:9090, [::1]:9090".into()
            });
        }
    };
    match port.parse() {
        Ok(port) => Ok(SocketAddr::new(here, port)),
        Err(_) => Err("a port is a number up to 65535; 0 takes any that is free".into()),
    }
}

/// The status page of a run, if one was asked for.
#[derive(Debug)]
pub(crate) struct Page(Option<Live>);

impl Page {
    /// Listens, if that was asked for, and says where.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub(crate) async fn open(
        args: &ListenArgs,
        title: &str,
        pipeline: &str,
        terminal: &Terminal,
    ) -> Result<Self, Trouble> {
        let Some(address) = args.listen else {
            return Ok(Self(None));
        };
        let hosts = Hosts::and(args.listen_as.clone());
        let about = about(title, pipeline);
        let live = Live::listen(address, hosts, about).await.map_err(|error| {
            Trouble::new(Exit::Usage, format!("cannot listen on {address}: {error}"))
                .help("is another program there? --listen 0 takes any free port")
        })?;
        let address = live.address();
        terminal.say(&format!("the status page is http://{address}/"));
        if !address.ip().is_loopback() {
            terminal.say(
                "others can reach this address, without a password: the page shows ids, places, counts \
                 and the API's own words",
            );
        }
        Ok(Self(Some(live)))
    }

    /// What the run tells how it stands.
    pub(crate) fn board(&self) -> Option<&Board> {
        self.0.as_ref().map(Live::board)
    }

    /// Begins anew, with the next run.
    pub(crate) fn begin(&self, title: &str, pipeline: &str) {
        if let Some(board) = self.board() {
            board.begin(about(title, pipeline));
        }
    }

    /// Tells how a run has ended, and when the next one begins, if one does.
    pub(crate) fn ended(&self, ended: &Ended, account: &Account, next: Option<DateTime<Utc>>) {
        if let Some(board) = self.board() {
            let result = end(ended, account);
            board.ended(ending(ended.name(), &result, next));
        }
    }

    /// Tells whoever looks how the command has ended, and listens no more.
    pub(crate) async fn close(self, ended: &Result<Exit, Trouble>) {
        let Some(live) = self.0 else {
            return;
        };
        if let Err(trouble) = ended
            && !live.board().has_ended()
        {
            let how = if trouble.exit == Exit::Stopped {
                "stopped"
            } else {
                "failed"
            };
            live.board().ended(ending(how, ended, None));
        }
        live.close().await;
    }
}

fn about<'a>(title: &'a str, pipeline: &'a str) -> About<'a> {
    About {
        title,
        pipeline,
        advice,
    }
}

fn ending(how: &str, ended: &Result<Exit, Trouble>, next: Option<DateTime<Utc>>) -> Ending {
    let (exit, message, help) = match ended {
        Ok(exit) => (*exit, None, None),
        Err(trouble) => {
            let message = Some(trouble.message.clone()).filter(|message| !message.is_empty());
            (trouble.exit, message, trouble.help.clone())
        }
    };
    Ending {
        how: how.into(),
        exit: exit.code(),
        message,
        help,
        next,
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn a_port_is_one_of_this_machine() {
        for here in ["9090", ":9090", "localhost:9090", "127.0.0.1:9090"] {
            assert_eq!(
                address(here).unwrap().to_string(),
                "127.0.0.1:9090",
                "{here}"
            );
        }
        assert_eq!(address("[::1]:0").unwrap().to_string(), "[::1]:0");
        assert_eq!(address("0.0.0.0:80").unwrap().to_string(), "0.0.0.0:80");
        for bad in [
            "",
            ":",
            "port",
            "65536",
            "example.org:80",
            "127.0.0.1:",
            "::1",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
