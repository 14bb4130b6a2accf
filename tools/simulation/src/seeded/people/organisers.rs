//! Organisers and admins: they edit and cancel events.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use karcis_event_service::{
    application::{CancelEventError, UpdateEventError, cancel_event, update_event},
    domain::{
        Details, Editor, Event, EventUpdate, NewEvent, NewTicketType, PerBooking, TicketTypeEdit,
        TicketTypeUpdate, TimeZone,
    },
};
use karcis_kernel::{Currency, Money, Role, UserId};
use karcis_process::timer::wait;
use uuid::Uuid;

use super::{leavers::erase, requests::request};
use crate::seeded::{
    broker::Group,
    ids,
    plan::{Edit, EditPlan, EventPlan, Plan},
    ports::Ports,
    random::hash,
    world::{World, start},
};

const TRIES: u32 = 10;
const ORGANISER: UserId = UserId(Uuid::from_u128(8));

/// Publishes the plan's events.
pub(crate) fn add_events(world: &World, plan: &Plan) {
    let state = &mut *world.lock();
    for (index, event) in plan.events.iter().enumerate() {
        let event = Event::create(new_event(plan.seed, index, event), start());
        let event = event.expect("the plan's events are valid");
        state.set_name(event.id.0, format!("event {index}"));
        state.tables.events.add(&event, None);
    }
}

fn new_event(seed: u64, index: usize, plan: &EventPlan) -> NewEvent {
    let text = |text: &str| text.to_owned();
    let types = plan.types.iter().enumerate().map(|(place, (price, capacity))| NewTicketType {
        id: ids::ticket_type(seed, index, place),
        name: format!("type {place}").try_into().expect("a valid name"),
        price: Money::new(*price, Currency::Idr).try_into().expect("a valid price"),
        capacity: i64::from(*capacity).try_into().expect("a valid capacity"),
        max_per_booking: PerBooking::DEFAULT,
        sales_start: None,
        sales_end: None,
        closed: false,
    });
    let refundable = if plan.is_refundable { TimeDelta::days(20) } else { TimeDelta::days(-1) };
    let limit = |limit: u32| i64::from(limit).try_into().expect("a valid limit");
    NewEvent {
        id: ids::event(seed, index),
        organiser_id: ORGANISER,
        details: Details {
            title: text("Concert").try_into().expect("a valid title"),
            description: None,
            venue: text("Hall").try_into().expect("a valid venue"),
            starts_at: start() + TimeDelta::days(30),
            ends_at: None,
            time_zone: TimeZone::named("Asia/Jakarta"),
            refundable_until: Some(start() + refundable),
            refundable_after_start: false,
            reopened_until: None,
            max_per_buyer: plan.max_per_buyer.map(limit),
        },
        ticket_types: types.collect(),
        publish: true,
    }
}

/// Edits what the plan says, until that is done or refused.
pub(crate) async fn edit(world: Arc<World>, plan: EditPlan) {
    wait(plan.at).await;
    for attempt in 0..TRIES {
        let is_over = match plan.edit {
            Edit::EraseUser(user) => erase(&world, plan.number, user).await,
            Edit::CancelEvent(event) => cancel(&world, &plan, event).await,
            Edit::Capacity(event, _) | Edit::Price(event, _) | Edit::Close(event) => {
                update(&world, &plan, event).await
            }
            Edit::Venue(event) => update(&world, &plan, event).await,
        };
        if is_over {
            return;
        }
        wait(Duration::from_millis(300 << attempt.min(5))).await;
    }
}

fn editor() -> Editor {
    Editor { user_id: ORGANISER, role: Role::Organiser }
}

async fn cancel(world: &Arc<World>, plan: &EditPlan, event: usize) -> bool {
    let id = ids::event(world.lock().seed, event);
    let client = hash(&[67, plan.number]) % (1 << 32);
    let answer = request(world, Group::Event, client, |ports: Ports| {
        Box::pin(async move {
            let reason = "rain".to_owned().try_into().expect("a valid reason");
            let at = ports.world.lock().now(Some(ports.instance));
            cancel_event(&ports, editor(), id, reason, at).await
        })
    });
    matches!(answer.await, Some(Ok(_) | Err(CancelEventError::NotFound)))
}

async fn update(world: &Arc<World>, plan: &EditPlan, event: usize) -> bool {
    let seed = world.lock().seed;
    let id = ids::event(seed, event);
    let update = event_update(seed, event, plan.edit);
    let client = hash(&[73, plan.number]) % (1 << 32);
    let answer = request(world, Group::Event, client, |ports: Ports| {
        Box::pin(async move {
            let at = ports.world.lock().now(Some(ports.instance));
            update_event(&ports, editor(), id, update, at).await
        })
    });
    matches!(
        answer.await,
        Some(Ok(_) | Err(UpdateEventError::NotFound | UpdateEventError::Refused(_)))
    )
}

fn event_update(seed: u64, event: usize, edit: Edit) -> EventUpdate {
    let mut kind = TicketTypeUpdate {
        id: ids::ticket_type(seed, event, 0),
        name: None,
        price: None,
        capacity: None,
        max_per_booking: None,
        sales_start: None,
        sales_end: None,
        closed: None,
    };
    match edit {
        Edit::Capacity(_, capacity) => kind.capacity = i64::from(capacity).try_into().ok(),
        Edit::Price(_, price) => kind.price = Money::new(price, Currency::Idr).try_into().ok(),
        Edit::Close(_) => kind.closed = Some(true),
        Edit::Venue(_) | Edit::CancelEvent(_) | Edit::EraseUser(_) => {
            let venue = "Arena".to_owned().try_into().ok();
            return EventUpdate { venue, ..EventUpdate::default() };
        }
    }
    EventUpdate { ticket_types: vec![TicketTypeEdit::Change(kind)], ..EventUpdate::default() }
}
