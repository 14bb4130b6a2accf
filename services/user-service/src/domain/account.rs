//! An account, and how it may change.

use karcis_kernel::{Role, Timestamp, UserId};

use super::{Email, Locale, PasswordHash, PersonName, Phone, TimeZone};

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub user_id: UserId,
    pub email: Email,
    /// Whether its owner has proven to read that address.
    pub email_verified: bool,
    /// Whether its owner was welcomed.
    pub is_welcomed: bool,
    pub password_hash: PasswordHash,
    pub name: PersonName,
    pub phone: Option<Phone>,
    pub locale: Option<Locale>,
    pub time_zone: Option<TimeZone>,
    pub role: Role,
    pub created_at: Timestamp,
    /// Since when nobody can log in to it.
    pub disabled_at: Option<Timestamp>,
    /// Starts at 1 and rises with each change.
    pub version: i64,
}

/// A change of a profile: `None` leaves a field unchanged, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    pub name: Option<PersonName>,
    pub phone: Option<Option<Phone>>,
    pub locale: Option<Option<Locale>>,
    pub time_zone: Option<Option<TimeZone>>,
    pub email: Option<Email>,
    pub password_hash: Option<PasswordHash>,
}

/// A change that is published, with the account as it is afterwards, if there is one.
#[derive(Clone, Copy)]
pub enum AccountChange<'a> {
    Registered(&'a Account),
    Updated(&'a Account),
    Erased(UserId),
}

impl Account {
    /// A new account, version 1, without contact details.
    pub fn new(
        user_id: UserId,
        email: Email,
        password_hash: PasswordHash,
        name: PersonName,
        role: Role,
        created_at: Timestamp,
    ) -> Self {
        Self {
            user_id,
            email,
            email_verified: false,
            is_welcomed: false,
            password_hash,
            name,
            phone: None,
            locale: None,
            time_zone: None,
            role,
            created_at,
            disabled_at: None,
            version: 1,
        }
    }

    /// The account after this change; the same version if nothing changes.
    pub fn changed(&self, change: ProfileChange) -> Self {
        let email = change.email.unwrap_or_else(|| self.email.clone());
        let next = Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            phone: change.phone.unwrap_or_else(|| self.phone.clone()),
            locale: change.locale.unwrap_or_else(|| self.locale.clone()),
            time_zone: change.time_zone.unwrap_or(self.time_zone),
            email_verified: self.email_verified && email == self.email,
            email,
            password_hash: change.password_hash.unwrap_or_else(|| self.password_hash.clone()),
            ..self.clone()
        };
        next.with_version_after(self)
    }

    /// The account, whose owner has proven to read its address; the same version if that is known.
    pub fn verified(&self) -> Self {
        Self { email_verified: true, is_welcomed: true, ..self.clone() }.with_version_after(self)
    }

    /// The account with this password, which was chosen with a token from an e-mail to its address.
    pub fn reset(&self, password_hash: PasswordHash) -> Self {
        Self { password_hash, ..self.verified() }.with_version_after(self)
    }

    /// The account with this role; the same version if it has the role already.
    pub fn with_role(&self, role: Role) -> Self {
        Self { role, ..self.clone() }.with_version_after(self)
    }

    /// The account, disabled since `at`; the same version if it is disabled already.
    pub fn disabled(&self, at: Timestamp) -> Self {
        let disabled_at = Some(self.disabled_at.unwrap_or(at));
        Self { disabled_at, ..self.clone() }.with_version_after(self)
    }

    /// The account, not disabled; the same version if it is not.
    pub fn enabled(&self) -> Self {
        Self { disabled_at: None, ..self.clone() }.with_version_after(self)
    }

    /// The version after `before`'s, or the same one if nothing else differs.
    fn with_version_after(self, before: &Self) -> Self {
        if self == *before { self } else { Self { version: before.version + 1, ..self } }
    }
}

/// Whether `admin` would give their own account another role, or disable it. This is forbidden, so that
/// the last admin cannot be lost by mistake.
pub fn changes_own_account(admin: UserId, before: &Account, after: &Account) -> bool {
    before.user_id == admin && before != after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sari() -> Account {
        Account {
            phone: Some(Phone::parse("+6281234567890").expect("it is valid")),
            ..Account::new(
                UserId(uuid::Uuid::nil()),
                Email::parse("sari@mail.example").expect("it is valid"),
                PasswordHash("old".to_owned()),
                PersonName::parse("Sari").expect("it is valid"),
                Role::Buyer,
                Timestamp::UNIX_EPOCH,
            )
        }
    }

    #[test]
    fn each_change_raises_the_version_and_leaves_the_rest() {
        let before = sari();
        let dewi = PersonName::parse("Dewi").expect("it is valid");
        let phone = Phone::parse("+12125550100").expect("it is valid");
        let locale = Locale::parse("id-ID").expect("it is valid");
        let zone = TimeZone::parse("Asia/Jakarta").expect("it is valid");
        let email = Email::parse("dewi@mail.example").expect("it is valid");
        let hash = PasswordHash("new".to_owned());
        let none = ProfileChange::default;
        let version = 2;
        for (change, after) in [
            (
                ProfileChange { name: Some(dewi.clone()), ..none() },
                Account { name: dewi, version, ..before.clone() },
            ),
            (
                ProfileChange { phone: Some(Some(phone.clone())), ..none() },
                Account { phone: Some(phone), version, ..before.clone() },
            ),
            (
                ProfileChange { phone: Some(None), ..none() },
                Account { phone: None, version, ..before.clone() },
            ),
            (
                ProfileChange { locale: Some(Some(locale.clone())), ..none() },
                Account { locale: Some(locale), version, ..before.clone() },
            ),
            (
                ProfileChange { time_zone: Some(Some(zone)), ..none() },
                Account { time_zone: Some(zone), version, ..before.clone() },
            ),
            (
                ProfileChange { email: Some(email.clone()), ..none() },
                Account { email, version, ..before.clone() },
            ),
            (
                ProfileChange { password_hash: Some(hash.clone()), ..none() },
                Account { password_hash: hash, version, ..before.clone() },
            ),
        ] {
            assert_eq!(before.changed(change.clone()), after, "{change:?}");
        }
    }

    #[test]
    fn a_change_of_nothing_keeps_the_version() {
        let before = sari();
        let same = ProfileChange {
            name: Some(before.name.clone()),
            phone: Some(before.phone.clone()),
            locale: Some(None),
            ..ProfileChange::default()
        };
        assert_eq!(before.changed(ProfileChange::default()), before);
        assert_eq!(before.changed(same), before);
        assert_eq!(before.with_role(Role::Buyer), before);
    }

    #[test]
    fn an_address_is_verified_until_it_changes() {
        let before = sari();
        let verified = before.verified();
        assert_eq!((verified.email_verified, verified.version), (true, 2));
        assert_eq!((before.is_welcomed, verified.is_welcomed), (false, true));
        assert_eq!(verified.verified(), verified);
        let change = |email: &str| ProfileChange {
            email: Some(Email::parse(email).expect("it is valid")),
            ..ProfileChange::default()
        };
        assert_eq!(verified.changed(change("sari@mail.example")), verified);
        let moved = verified.changed(change("dewi@mail.example"));
        assert_eq!((moved.email_verified, moved.version), (false, 3));
        assert!(moved.is_welcomed, "once is enough");
        let reset = moved.reset(PasswordHash("new".to_owned()));
        assert_eq!((reset.email_verified, reset.version), (true, 4));
    }

    #[test]
    fn disabling_and_enabling_are_changes_that_can_be_repeated() {
        let before = sari();
        let at = |s| Timestamp::UNIX_EPOCH + chrono::Duration::seconds(s);
        let disabled = before.disabled(at(1));
        assert_eq!((disabled.disabled_at, disabled.version), (Some(at(1)), 2));
        assert_eq!(disabled.disabled(at(2)), disabled);
        assert_eq!((disabled.enabled().disabled_at, disabled.enabled().version), (None, 3));
        assert_eq!(before.enabled(), before);
    }

    #[test]
    fn a_role_is_given_by_somebody_else() {
        let before = sari();
        let after = before.with_role(Role::Door);
        assert_eq!((after.role, after.version), (Role::Door, 2));
        let other = UserId(uuid::Uuid::max());
        for (admin, after, own) in [
            (before.user_id, &after, true),
            (before.user_id, &before, false),
            (other, &after, false),
            (other, &before, false),
        ] {
            assert_eq!(changes_own_account(admin, &before, after), own, "{admin}");
        }
    }
}
