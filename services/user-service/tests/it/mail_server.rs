//! A mail server of the test's own, which keeps what it is sent and may be away.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use karcis_testkit::eventually;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};

/// What it was sent: whom for, and the letter.
pub type Mail = (String, String);

/// Serves until it is dropped.
pub struct MailServer {
    address: SocketAddr,
    kept: Arc<Mutex<Vec<Mail>>>,
    serving: JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl MailServer {
    /// On a free port.
    pub async fn start() -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::default())
    }

    fn serve(listener: TcpListener, kept: Arc<Mutex<Vec<Mail>>>) -> Self {
        let address = listener.local_addr().unwrap();
        let keep = kept.clone();
        let serving = tokio::spawn(async move {
            // Ends its conversations with itself.
            let mut conversations = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                conversations.spawn(talk(socket, keep.clone()));
            }
        });
        Self { address, kept, serving }
    }

    /// For `--smtp-url`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Goes away with all connections; [`Away::comes_back`] where it was.
    pub async fn goes_away(self) -> Away {
        self.serving.abort();
        let (address, kept) = (self.address, self.kept.clone());
        drop(self);
        let socket = eventually(async || bind(address)).await;
        Away { socket, kept }
    }

    /// The letters to this address, as a mailbox shows them.
    pub fn mail_to(&self, address: &str) -> Vec<String> {
        let kept = self.kept.lock().unwrap();
        let to = kept.iter().filter(|(to, _)| to == address);
        to.map(|(_, letter)| letter.replace("=\r\n", "")).collect()
    }
}

/// Succeeds once nobody listens there.
fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// A server that is away. Its port refuses connections, and no other test is given it meanwhile.
pub struct Away {
    socket: TcpSocket,
    kept: Arc<Mutex<Vec<Mail>>>,
}

impl Away {
    /// With what it has kept.
    pub fn comes_back(self) -> MailServer {
        MailServer::serve(self.socket.listen(64).unwrap(), self.kept)
    }
}

/// SMTP as far as a client needs it. Nobody lives at `nobody@…`, and the box of `full@…` is full.
async fn talk(socket: TcpStream, kept: Arc<Mutex<Vec<Mail>>>) -> std::io::Result<()> {
    let mut socket = BufReader::new(socket);
    socket.write_all(b"220 mail.example\r\n").await?;
    let (mut line, mut to) = (String::new(), String::new());
    while socket.read_line(&mut line).await? > 0 {
        let command = line.trim_end().to_owned();
        line.clear();
        let answer = match command.split([' ', ':']).next().unwrap_or_default() {
            "RCPT" => {
                to = command.trim_start_matches("RCPT TO:<").split('>').next().unwrap().to_owned();
                match to.split('@').next() {
                    Some("nobody") => "550 5.1.1 <nobody@mail.example>: no such user",
                    Some("full") => "452 4.2.2 <full@mail.example>: over quota",
                    _ => "250 OK",
                }
            }
            "DATA" => {
                socket.write_all(b"354 go on\r\n").await?;
                let mut letter = String::new();
                while !letter.ends_with("\r\n.\r\n") {
                    if socket.read_line(&mut letter).await? == 0 {
                        return Ok(());
                    }
                }
                kept.lock().unwrap().push((to.clone(), letter));
                "250 kept"
            }
            "QUIT" => return socket.write_all(b"221 bye\r\n").await,
            _ => "250 OK",
        };
        socket.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
