//! A mail server that stores the e-mails it receives and can be stopped for a while.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use karcis_testkit::eventually;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};

/// The e-mail with its headers unfolded and its parts decoded, as a mailbox shows it.
pub(crate) fn decoded(email: &str) -> String {
    let (head, body) = email.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    if let Some((_, boundary)) = head.split_once("boundary=\"") {
        let boundary = format!("--{}", boundary.split('"').next().unwrap());
        let parts = body.split(&boundary).skip(1).filter(|part| !part.starts_with("--"));
        let parts: Vec<_> = parts.map(|part| decoded(part.trim_start())).collect();
        return format!("{head}\r\n\r\n{}", parts.join("\r\n"));
    }
    let text = if head.contains("Content-Transfer-Encoding: base64") {
        // Its last line may have lost a sign.
        let any_padding =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let base64 = GeneralPurpose::new(&alphabet::STANDARD, any_padding);
        let body = base64.decode(body.replace("\r\n", "").trim_end_matches(['.', '='])).unwrap();
        String::from_utf8_lossy(&body).into_owned()
    } else if head.contains("Content-Transfer-Encoding: quoted-printable") {
        // It is joined already.
        let mut parts = body.split('=');
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            let (code, rest) = part.split_at(2);
            bytes.push(u8::from_str_radix(code, 16).unwrap());
            bytes.extend(rest.as_bytes());
        }
        String::from_utf8(bytes).unwrap()
    } else {
        body.to_owned()
    };
    format!("{head}\r\n\r\n{text}")
}

/// A recipient's address and the e-mail.
pub(crate) type Mail = (String, String);

/// Serves until it is dropped.
pub(crate) struct MailServer {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Mail>>>,
    serving: JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl MailServer {
    /// On a free port.
    pub(crate) async fn start() -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::default())
    }

    fn serve(listener: TcpListener, received: Arc<Mutex<Vec<Mail>>>) -> Self {
        let address = listener.local_addr().unwrap();
        let store = received.clone();
        let serving = tokio::spawn(async move {
            // Dropped with this task, which ends the connections.
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.spawn(serve_client(socket, store.clone()));
            }
        });
        Self { address, received, serving }
    }

    /// For `--smtp-url`.
    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Stops and closes all connections; [`Stopped::starts_again`] at the same address.
    pub(crate) async fn stops(self) -> Stopped {
        self.serving.abort();
        let (address, received) = (self.address, self.received.clone());
        drop(self);
        let socket = eventually(async || bind(address)).await;
        Stopped { socket, received }
    }

    /// The token of the newest e-mail with this subject to this address, which is waited for.
    pub(crate) async fn token(&self, address: &str, subject: &str) -> String {
        let mail = eventually(async || {
            let mails = self.mails(address, subject);
            mails.last().cloned().ok_or_else(|| format!("no e-mail {subject:?} to {address}"))
        });
        let mail = mail.await;
        // It stands alone in its line.
        let token = mail.lines().find(|line| line.len() == 43 && !line.contains([' ', '.']));
        token.unwrap_or_else(|| panic!("there is no token in:\n{mail}")).to_owned()
    }

    /// The e-mails with this subject to this address.
    pub(crate) fn mails(&self, address: &str, subject: &str) -> Vec<String> {
        let mut mails = self.mail_to(address);
        mails.retain(|mail| mail.contains(&format!("\r\nSubject: {subject}\r\n")));
        mails
    }

    /// The e-mails to this address, as a mailbox shows them: folded lines are joined.
    pub(crate) fn mail_to(&self, address: &str) -> Vec<String> {
        let received = self.received.lock().unwrap();
        let to = received.iter().filter(|(to, _)| to == address);
        to.map(|(_, email)| email.replace("=\r\n", "")).collect()
    }
}

/// Fails while another socket listens there.
fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// A stopped server. Its port refuses connections and stays reserved.
pub(crate) struct Stopped {
    socket: TcpSocket,
    received: Arc<Mutex<Vec<Mail>>>,
}

impl Stopped {
    /// With the e-mails it received before.
    pub(crate) fn starts_again(self) -> MailServer {
        MailServer::serve(self.socket.listen(64).unwrap(), self.received)
    }
}

/// The part of SMTP that a client needs. Mailbox `nobody@…` does not exist, `full@…` is full,
/// mail to `blocked@…` is against a policy of the day, and that it has mail to `lost@…` it never says.
async fn serve_client(socket: TcpStream, received: Arc<Mutex<Vec<Mail>>>) -> std::io::Result<()> {
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
                    Some("blocked") => "550 5.7.1 too many e-mails today",
                    Some("full") => "452 4.2.2 <full@mail.example>: over quota",
                    _ => "250 OK",
                }
            }
            "DATA" => {
                socket.write_all(b"354 go on\r\n").await?;
                let mut email = String::new();
                while !email.ends_with("\r\n.\r\n") {
                    if socket.read_line(&mut email).await? == 0 {
                        return Ok(());
                    }
                }
                received.lock().unwrap().push((to.clone(), email));
                if to.starts_with("lost@") {
                    return Ok(());
                }
                "250 received"
            }
            "QUIT" => return socket.write_all(b"221 bye\r\n").await,
            _ => "250 OK",
        };
        socket.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
