// The shapes of sales and attendees that the office shows.
import type { components as BookingApi } from 'karcis-api/booking';
import type { components as EventApi } from 'karcis-api/event';

export type Sales = EventApi['schemas']['Sales'];
export type TypeSales = EventApi['schemas']['TicketTypeSales'];
export type DaySales = EventApi['schemas']['DaySales'];
export type ListedTicket = EventApi['schemas']['ListedTicket'];
export type NamedBooking = BookingApi['schemas']['NamedBooking'];
