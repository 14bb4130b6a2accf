//! What buyers are told by e-mail, and what must hold of that: rule 15.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use karcis_kernel::{BookingId, UserId};
use karcis_user_service::domain::{Mail, Notification};

use super::{
    checks::{Violation, require},
    processes::Process,
};

/// How many e-mails an address gets a day that nobody has proven to read.
const UNVERIFIED_A_DAY: u32 = 3;

/// Something that a buyer is to be told once.
type Fact = (BookingId, String);

#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What happened, and whom it concerns.
    facts: BTreeMap<Fact, UserId>,
    erased: BTreeMap<UserId, Duration>,
    /// Bookings that user-service knows to be paid or over.
    not_to_pay: BTreeSet<BookingId>,
    /// By instance, what it claimed last.
    claims: BTreeMap<usize, Claim>,
    /// The last e-mail about each fact.
    sent: BTreeMap<Fact, Sending>,
    /// How many e-mails were sent.
    pub(crate) mails: u64,
    /// How many e-mails went to addresses that nobody has proven to read.
    to_strangers: BTreeMap<UserId, u32>,
}

#[derive(Clone, Copy, Debug)]
struct Claim {
    at: Duration,
    /// How many faults its process had had.
    faults: u64,
}

#[derive(Debug)]
struct Sending {
    instance: usize,
    faults: u64,
    is_answered: bool,
}

impl Told {
    /// This happened, and a message says so.
    pub(crate) fn happened(&mut self, fact: &Notification) {
        self.facts.insert((fact.booking_id, fact.kind.key()), fact.user_id);
    }

    pub(crate) fn erased(&mut self, user: UserId, at: Duration) {
        self.erased.entry(user).or_insert(at);
    }

    /// The buyers of these bookings have paid, or cannot pay any more.
    pub(crate) fn need_not_pay(&mut self, bookings: Vec<BookingId>) {
        self.not_to_pay.extend(bookings);
    }

    /// The instance, whose process has had so many faults, has these e-mails in hand now.
    pub(crate) fn claimed(
        &mut self,
        instance: usize,
        at: Duration,
        faults: u64,
        mails: &[Mail],
    ) -> Result<(), Violation> {
        self.claims.insert(instance, Claim { at, faults });
        let mut claimed = mails.iter().filter_map(|mail| mail.content.notification());
        let is_late = |of: &Notification| {
            of.kind.as_str() == "reserved" && self.not_to_pay.contains(&of.booking_id)
        };
        require(15, !claimed.any(is_late), || {
            "a buyer is told to pay for what is paid or over".to_owned()
        })
    }

    /// The instance sends an e-mail.
    pub(crate) fn sent(
        &mut self,
        instance: usize,
        processes: &[Process],
        of: &Notification,
        is_verified: bool,
        is_answered: bool,
    ) -> Result<(), Violation> {
        let Some(claim) = self.claims.get(&instance).copied() else {
            return require(15, false, || "an e-mail is sent that nobody has claimed".to_owned());
        };
        let fact = (of.booking_id, of.kind.key());
        require(15, self.facts.get(&fact) == Some(&of.user_id), || {
            format!("an e-mail says {}, which is not so", fact.1)
        })?;
        // One that was in hand already cannot be stopped.
        let is_erased = self.erased.get(&of.user_id).is_some_and(|at| *at < claim.at);
        require(15, !is_erased, || "an erased person gets an e-mail".to_owned())?;
        let faults = claim.faults;
        let sending = Sending { instance, faults, is_answered };
        let is_disturbed =
            |it: &Sending| !it.is_answered || processes[it.instance].faults > it.faults;
        if let Some(before) = self.sent.get(&fact) {
            let is_excused = is_disturbed(before) || processes[instance].faults > faults;
            require(15, is_excused, || format!("{} is told twice without a fault", fact.1))?;
        }
        self.sent.insert(fact, sending);
        self.mails += 1;
        if is_verified {
            return Ok(());
        }
        let mails = self.to_strangers.entry(of.user_id).or_default();
        *mails += 1;
        require(15, *mails <= UNVERIFIED_A_DAY, || "a stranger gets too many e-mails".to_owned())
    }

    /// What buyers who are not erased have not been told, but that they can pay: at rest, they have or cannot.
    pub(crate) fn untold(&self) -> impl Iterator<Item = &Fact> {
        let untold = self
            .facts
            .iter()
            .filter(|((_, kind), user)| kind != "reserved" && !self.erased.contains_key(user));
        untold.map(|(fact, _)| fact).filter(|fact| !self.sent.contains_key(fact))
    }

    /// Who is erased.
    pub(crate) fn all_erased(&self) -> impl Iterator<Item = UserId> {
        self.erased.keys().copied()
    }
}
