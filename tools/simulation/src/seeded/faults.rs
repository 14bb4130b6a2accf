//! What goes wrong: each fault is named by its kind, by where it strikes and by how many times that place was
//! reached before. A run draws its faults from the seed by these names, and a rerun can be given some of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::random::hash;

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// A process dies between two effects, and is started again.
    Crash,
    /// A process stands still for longer than its session lasts, and goes on with what it held in memory.
    Freeze,
    /// The same for longer than its relay's lock lasts, with messages that it has read and not sent.
    FreezeWithUnsent,
    /// A process's clock is set wrong by up to 5 s.
    Skew,
    /// A store fails a statement or a transaction, which wrote nothing.
    StoreFails,
    /// A store does not answer anything for up to 20 s.
    StoreDown,
    /// A transaction is committed, and the service is told that it failed.
    CommitLost,
    /// Another transaction is in the way.
    Contended,
    /// Another transaction has rows of a change locked.
    Locked,
    /// The broker acknowledges a message and loses it.
    MessageLost,
    /// The broker loses a message, and a relay that stood still sends it up to 50 s later.
    MessageLate,
    /// The broker has a message twice.
    MessageDoubled,
    /// The broker has a message, and the relay is told that it does not.
    AckLost,
    /// The relay sends a part of its messages before its connection breaks.
    SendBroken,
    /// The broker does not answer anything for up to 20 s.
    BrokerDown,
    /// A group reads everything again.
    Rewind,
    /// A topic is deleted with all that is in it, and made again.
    TopicReset,
    /// A group's members share its partitions in another way.
    Rebalance,
    /// The provider does what it is asked, and the answer is lost.
    AnswerLost,
    /// The provider never hears what it is asked.
    NeverArrives,
    /// The provider does what it is asked up to 40 s after the caller stopped waiting.
    ExecutesLate,
    /// The provider captures what it was asked for before it closed the intent, up to 40 s after that.
    CapturedAfterVoid,
    /// A buyer's connection breaks before the answer.
    ClientGone,
    /// The mail server takes an e-mail, and the answer is lost.
    MailAnswerLost,
    /// The mail server does not take an e-mail.
    MailRefused,
    /// The mail server takes nothing for up to 20 s.
    MailServerDown,
    /// Another transaction has a row locked for up to 60 s.
    LockedLong,
    /// A row cannot be read for up to 60 s.
    Unreadable,
    /// A topic has a message that nobody can handle.
    Poison,
    /// The provider's webhook never comes.
    WebhookLost,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 30] = [
        Self::Crash,
        Self::Freeze,
        Self::FreezeWithUnsent,
        Self::Skew,
        Self::StoreFails,
        Self::StoreDown,
        Self::CommitLost,
        Self::Contended,
        Self::Locked,
        Self::MessageLost,
        Self::MessageLate,
        Self::MessageDoubled,
        Self::AckLost,
        Self::SendBroken,
        Self::BrokerDown,
        Self::Rewind,
        Self::TopicReset,
        Self::Rebalance,
        Self::AnswerLost,
        Self::NeverArrives,
        Self::ExecutesLate,
        Self::CapturedAfterVoid,
        Self::ClientGone,
        Self::MailAnswerLost,
        Self::MailRefused,
        Self::MailServerDown,
        Self::LockedLong,
        Self::Unreadable,
        Self::Poison,
        Self::WebhookLost,
    ];

    /// How many times in 100,000 it strikes where it can, at the usual rate.
    fn rate(self) -> u64 {
        match self {
            Self::Crash => 150,
            Self::Freeze | Self::Skew => 30,
            Self::FreezeWithUnsent => 500,
            Self::StoreFails | Self::CommitLost | Self::Contended | Self::Locked => 2_000,
            Self::MessageLost | Self::MessageDoubled | Self::AckLost | Self::SendBroken => 1_500,
            Self::MessageLate => 1_000,
            Self::StoreDown | Self::BrokerDown => 30,
            Self::Rebalance => 100,
            // Each makes services answer everything again.
            Self::Rewind => 20,
            Self::TopicReset => 10,
            Self::AnswerLost | Self::NeverArrives | Self::ExecutesLate => 8_000,
            Self::CapturedAfterVoid => 20_000,
            Self::ClientGone | Self::MailAnswerLost | Self::MailRefused => 3_000,
            Self::MailServerDown => 500,
            // Each is in the way for up to a minute.
            Self::LockedLong | Self::Unreadable => 50,
            Self::Poison => 200,
            Self::WebhookLost => 30_000,
        }
    }
}

/// A fault that struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fault {
    pub kind: FaultKind,
    /// Where: a number that the place has in every run.
    pub place: u64,
    /// How many times that place was reached before.
    pub nth: u64,
}

/// Decides what goes wrong in one run.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    /// By kind: how many times in 100,000.
    rates: BTreeMap<FaultKind, u64>,
    /// Only these strike.
    only: Option<BTreeSet<Fault>>,
    reached: HashMap<(FaultKind, u64), u64>,
    struck: Vec<Fault>,
    /// Nothing goes wrong any more.
    over: bool,
}

impl Faults {
    /// The faults of this seed: some kinds are left out, some strike far more often than usual, so that seeds
    /// differ in more than their luck.
    pub(crate) fn of_seed(seed: u64, only: Option<BTreeSet<Fault>>) -> Self {
        let rate = |kind: FaultKind| match hash(&[seed, 71, kind as u64]) % 8 {
            0..=2 => 0,
            3..=5 => kind.rate(),
            6 => kind.rate() * 3,
            _ => kind.rate() * 8,
        };
        let rates = FaultKind::ALL.into_iter().map(|kind| (kind, rate(kind)));
        let rates = rates.filter(|(_, rate)| *rate > 0).collect();
        Self { seed, rates, only, reached: HashMap::new(), struck: Vec::new(), over: false }
    }

    /// Whether this kind strikes now at this place.
    pub(crate) fn strikes(&mut self, kind: FaultKind, place: u64) -> bool {
        let Some(rate) = self.rates.get(&kind).copied().filter(|_| !self.over) else {
            return false;
        };
        let reached = self.reached.entry((kind, place)).or_default();
        let fault = Fault { kind, place, nth: *reached };
        *reached += 1;
        let strikes = match &self.only {
            Some(only) => only.contains(&fault),
            None => self.draw(fault, 100_000) < rate,
        };
        if strikes {
            self.struck.push(fault);
        }
        strikes
    }

    /// A number below `end` for the fault that struck last.
    pub(crate) fn how_much(&self, end: u64) -> u64 {
        self.struck.last().map_or(0, |fault| hash(&[self.draw(*fault, u64::MAX), 5]) % end)
    }

    fn draw(&self, Fault { kind, place, nth }: Fault, end: u64) -> u64 {
        hash(&[self.seed, kind as u64, place, nth]) % end
    }

    pub(crate) fn end(&mut self) {
        self.over = true;
    }

    pub(crate) fn are_over(&self) -> bool {
        self.over
    }

    pub(crate) fn struck(&self) -> &[Fault] {
        &self.struck
    }
}
