//! Bugs that are planted on purpose, one at a time, each where it would be made: tests show that they are
//! noticed. Without the feature `planted-bugs` none can be planted, and what asks for them is compiled away.

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bug {
    /// A commit writes what was changed since it was loaded.
    VersionCheckSkipped,
    /// Messages of a transaction that fails are sent all the same.
    PublishedBeforeCommit,
    /// A timer that a dead instance had claimed fires no more.
    ClaimedForEver,
    /// Conflicts are taken for written.
    ConflictsForgotten,
    /// A commit whose answer is lost is taken for written.
    LostAnswerIsDone,
    /// The key of a request is not stored.
    KeyNotStored,
    /// A command is sent once.
    ResendsForgotten,
    /// A booking that is cancelled for its deadline does not become one that its buyer cancels.
    CauseNeverRises,
    /// Seats are released before the payment is cancelled.
    ReleasedBeforeCancel,
    /// A payment at the last moment is neither confirmed nor refunded.
    LastMomentMoneyKept,
    /// A release before the reservation leaves no hold.
    TombstoneDropped,
    /// Tickets that are confirmed again get new codes.
    CodesMintedTwice,
    /// Released seats stay sold in the stock.
    StockForgotten,
    /// A rejected reservation is tried again when it comes again.
    RejectionReopened,
    /// A cancelled event goes on selling.
    CancelledEventSells,
    /// A cancelled event is announced once.
    AnnouncedOnce,
    /// An attempt without an answer is taken for declined.
    TimeoutIsDecline,
    /// An attempt that the provider gives no answer about is taken for voided.
    UnknownIsVoided,
    /// An intent that is voided is taken for voided, whatever the provider says.
    VoidIsBlind,
    /// A second attempt starts beside one without an outcome.
    SecondAttempt,
    /// A paid payment that is cancelled says that nothing was taken.
    CancelForgetsMoney,
    /// What the provider says of a refund is not stored.
    RefundForgotten,
    /// What came of a webhook is not looked at again once its attempt has ended.
    WebhookForgotten,
    /// Who repeats a settlement, as its answer was lost, is refused.
    SettlementForgotten,
    /// What an operator has asked for again is asked for under the key that the provider has refused.
    RefusedKeyKept,
    /// E-mails are recorded as sent before they are.
    RecordedBeforeSent,
    /// What the store rejects is tried again for as long as a store that is down.
    RejectionRetried,
    /// A consumer commits its offsets before its work: what a killed one had in hand is lost.
    OffsetBeforeDatabase,
}

impl Bug {
    /// Those that the simulation notices. The others need real processes.
    pub const SIMULATED: [Self; 27] = [
        Self::VersionCheckSkipped,
        Self::PublishedBeforeCommit,
        Self::ClaimedForEver,
        Self::ConflictsForgotten,
        Self::LostAnswerIsDone,
        Self::KeyNotStored,
        Self::ResendsForgotten,
        Self::CauseNeverRises,
        Self::ReleasedBeforeCancel,
        Self::LastMomentMoneyKept,
        Self::TombstoneDropped,
        Self::CodesMintedTwice,
        Self::StockForgotten,
        Self::RejectionReopened,
        Self::CancelledEventSells,
        Self::AnnouncedOnce,
        Self::TimeoutIsDecline,
        Self::UnknownIsVoided,
        Self::VoidIsBlind,
        Self::SecondAttempt,
        Self::CancelForgetsMoney,
        Self::RefundForgotten,
        Self::WebhookForgotten,
        Self::SettlementForgotten,
        Self::RefusedKeyKept,
        Self::RecordedBeforeSent,
        Self::RejectionRetried,
    ];

    /// Whether it is planted on this thread.
    #[cfg(not(feature = "planted-bugs"))]
    #[inline(always)]
    pub const fn is_planted(self) -> bool {
        false
    }

    /// Whether it is planted on this thread, or in this process.
    #[cfg(feature = "planted-bugs")]
    pub fn is_planted(self) -> bool {
        PLANTED.get() == Some(self) || PLANTED_FOR_GOOD.get() == Some(&self)
    }

    /// Plants the bug of this name in this process, for good.
    ///
    /// # Panics
    /// There is no such bug.
    #[cfg(feature = "planted-bugs")]
    pub fn plant_for_good(name: &str) {
        let mut bugs = Self::SIMULATED.into_iter().chain([Self::OffsetBeforeDatabase]);
        let bug = bugs.find(|bug| format!("{bug:?}") == name).expect("it names a bug");
        PLANTED_FOR_GOOD.get_or_init(|| bug);
    }

    /// Does nothing.
    #[cfg(not(feature = "planted-bugs"))]
    pub fn plant_for_good(_name: &str) {}

    /// Does `work` on this thread with the bug planted.
    #[cfg(feature = "planted-bugs")]
    pub fn plant<T>(self, work: impl FnOnce() -> T) -> T {
        let _planted = self.plant_here();
        work()
    }

    /// Plants the bug on this thread until what this returns is dropped.
    #[cfg(feature = "planted-bugs")]
    #[must_use]
    pub fn plant_here(self) -> Planted {
        PLANTED.set(Some(self));
        Planted(std::marker::PhantomData)
    }
}

/// A bug is planted on this thread, which it does not leave.
#[cfg(feature = "planted-bugs")]
pub struct Planted(std::marker::PhantomData<*const ()>);

#[cfg(feature = "planted-bugs")]
impl Drop for Planted {
    fn drop(&mut self) {
        PLANTED.set(None);
    }
}

#[cfg(feature = "planted-bugs")]
static PLANTED_FOR_GOOD: std::sync::OnceLock<Bug> = std::sync::OnceLock::new();

#[cfg(feature = "planted-bugs")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}
