//! A proxy before Postgres that loses the answer to a chosen COMMIT: the transaction has landed, and
//! the connection ends before its client hears of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::proxy::Proxy;

/// The proxy, which ends when it is dropped.
pub struct LostCommits {
    proxy: Proxy,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// A text in one of the statements of the transaction whose COMMIT is to be lost.
    wanted: Option<&'static str>,
    lost: usize,
}

/// What a connection's client has sent.
#[derive(Default)]
struct Sent {
    /// Prepared statements by name.
    statements: HashMap<Vec<u8>, String>,
    /// The statements of the transaction that is open.
    transaction: Vec<String>,
}

impl LostCommits {
    /// Before the server of this URL.
    pub async fn start(url: &str) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = state.clone();
        let proxy = Proxy::start(url, move |client, server| pass(client, server, shared.clone()));
        Self { proxy: proxy.await, state }
    }

    /// This URL of the same server, by way of the proxy.
    pub fn url(&self, url: &str) -> String {
        self.proxy.url(url)
    }

    /// Loses the answer to the next COMMIT of a transaction that has a statement with this text.
    pub fn lose(&self, statement: &'static str) {
        lock(&self.state).wanted = Some(statement);
    }

    /// How many were lost so far.
    pub fn lost(&self) -> usize {
        lock(&self.state).lost
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes on one connection until one side ends it, or an answer is lost.
async fn pass(client: TcpStream, server: TcpStream, state: Arc<Mutex<State>>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let sent = Mutex::new(Sent::default());
    // Whichever ends first ends both.
    tokio::select! {
        _ = pass_requests(from_client, to_server, &sent) => {}
        _ = pass_answers(from_server, to_client, &sent, &state) => {}
    }
}

async fn pass_requests(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    sent: &Mutex<Sent>,
) -> std::io::Result<()> {
    // The first message has no type. The tests' servers take no TLS, and their clients ask for none.
    let length = client.read_u32().await?;
    let mut startup = vec![0; length as usize - 4];
    client.read_exact(&mut startup).await?;
    server.write_all(&[&length.to_be_bytes()[..], &startup].concat()).await?;
    loop {
        let (kind, body) = message(&mut client).await?;
        note(&mut lock(sent), kind, &body);
        write(&mut server, kind, &body).await?;
    }
}

async fn pass_answers(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    sent: &Mutex<Sent>,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    loop {
        let (kind, body) = message(&mut server).await?;
        if (kind, body.as_slice()) == (b'C', b"COMMIT\0") {
            let mut state = lock(state);
            let statements = std::mem::take(&mut lock(sent).transaction);
            let is_wanted = |wanted: &str| statements.iter().any(|text| text.contains(wanted));
            if state.wanted.take_if(|wanted| is_wanted(wanted)).is_some() {
                state.lost += 1;
                return Ok(());
            }
        }
        write(&mut client, kind, &body).await?;
    }
}

/// Keeps what a message says of statements: Parse names one, Bind runs one, Query runs a text.
fn note(sent: &mut Sent, kind: u8, body: &[u8]) {
    let mut texts = body.split(|byte| *byte == 0);
    let mut text = || texts.next().unwrap_or_default().to_vec();
    match kind {
        b'P' => {
            let (name, sql) = (text(), text());
            sent.statements.insert(name, String::from_utf8_lossy(&sql).into_owned());
        }
        b'B' => {
            let (_portal, name) = (text(), text());
            sent.transaction.extend(sent.statements.get(&name).cloned());
        }
        b'Q' if text().starts_with(b"BEGIN") => sent.transaction.clear(),
        _ => {}
    }
}

async fn message(from: &mut OwnedReadHalf) -> std::io::Result<(u8, Vec<u8>)> {
    let kind = from.read_u8().await?;
    let length = from.read_u32().await?;
    let mut body = vec![0; length as usize - 4];
    from.read_exact(&mut body).await?;
    Ok((kind, body))
}

async fn write(to: &mut OwnedWriteHalf, kind: u8, body: &[u8]) -> std::io::Result<()> {
    let length = (body.len() as u32 + 4).to_be_bytes();
    to.write_all(&[&[kind], &length[..], body].concat()).await
}
