//! What can be done with events, a file for each use case, and the ports they need.

mod announce_cancelled;
mod cancel_event;
mod check_in_ticket;
mod create_event;
mod delete_event;
mod duplicate_event;
#[cfg(any(test, feature = "port-tests"))]
pub mod port_tests;
mod ports;
mod publish_event;
mod take_commands;
mod unpublish_event;
mod update_event;

pub use announce_cancelled::announce_cancelled;
pub use cancel_event::{CancelEventError, cancel_event};
pub use check_in_ticket::{CheckedIn, check_in_ticket};
pub use create_event::{CreateEventError, Created, create_event};
pub use delete_event::{DeleteEventError, delete_event};
pub use duplicate_event::{DuplicateEventError, duplicate_event};
pub use ports::{
    Announcement, BuyerCount, CancelledEvent, CancelledEvents, Catalogue, Doors, EventFact,
    EventFilter, Events, HeldItem, HoldChange, HoldStory, Holds, Kind, ListedTicket, LockedEvent,
    LockedTicket, Message, SalesQueries, StockChange, StockSnapshot, Stocks, TicketLists,
    TicketPosition, Tickets,
};
pub use publish_event::{PublishEventError, publish_event};
pub use take_commands::{DecisionContext, TakeCommandsError, Taken, take_commands};
pub use unpublish_event::{UnpublishEventError, unpublish_event};
pub use update_event::{UpdateEventError, update_event};
