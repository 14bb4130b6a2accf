//! People have accounts, and some have themselves erased.

use std::sync::Arc;

use karcis_kernel::{Role, UserId};
use karcis_user_service::{
    application::{CheckPasswordError, EraseProfileError, erase_profile},
    domain::{Account, Actor, ClientIp, Email, PasswordHash, PersonName, SessionId, TypedPassword},
};
use uuid::Uuid;

use super::requests::request;
use crate::seeded::{
    broker::Group,
    ids,
    plan::{BuyerPlan, Edit, Plan},
    ports::Ports,
    random::hash,
    world::{World, start},
};

/// Registers everybody in the plan.
pub(crate) fn add_accounts(world: &World, plan: &Plan) {
    let late = (0..plan.events.len()).map(|event| BuyerPlan::late(event).user);
    let leavers = plan.edits.iter().filter_map(|plan| match plan.edit {
        Edit::EraseUser(user) => Some(user),
        _ => None,
    });
    let state = &mut *world.lock();
    for number in plan.buyers.iter().map(|buyer| buyer.user).chain(late).chain(leavers) {
        let account = account(plan.seed, number);
        state.set_name(account.user_id.0, format!("person {number}"));
        state.tables.users.add_account(account);
    }
}

/// Three of four have proven to read their address.
fn account(seed: u64, number: u64) -> Account {
    let account = Account::new(
        ids::user(seed, number),
        Email::parse(&format!("person-{number}@mail.example")).expect("a valid address"),
        PasswordHash(String::new()),
        PersonName::parse("Sari").expect("a valid name"),
        Role::Buyer,
        start(),
    );
    if hash(&[seed, 101, number]) % 4 < 3 { account.verified() } else { account }
}

/// Asks for the erasure, as `DELETE /profile` does; whether that is over.
pub(super) async fn erase(world: &Arc<World>, number: u64, user: u64) -> bool {
    let id = ids::user(world.lock().seed, user);
    let client = hash(&[103, number]) % (1 << 32);
    let answer =
        request(world, Group::User, client, |ports: Ports| Box::pin(erase_self(ports, id)));
    match answer.await {
        Some(Ok(())) => {
            let state = &mut *world.lock();
            state.tell(|| format!("person {user} is told that they are erased"));
            if state.tables.users.account(id).is_some() {
                state.violate(15, || format!("person {user} is erased and has an account"));
            }
            true
        }
        // Somebody else had the account erased meanwhile.
        Some(Err(EraseProfileError::CurrentPassword(CheckPasswordError::Wrong))) => true,
        Some(Err(_)) | None => false,
    }
}

async fn erase_self(ports: Ports, id: UserId) -> Result<(), EraseProfileError> {
    let account = ports.account(id).await?;
    // Without an account nobody is let in.
    let Some(account) = account else { return Ok(()) };
    let actor = Actor { user_id: id, session: Some(SessionId(Uuid::nil())) };
    let (ip, typed) = (ClientIp("192.0.2.1".to_owned()), TypedPassword(String::new()));
    erase_profile(&ports, &ports.password_check(), actor, &account, &ip, typed).await
}
