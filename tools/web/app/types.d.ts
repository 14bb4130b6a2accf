// The shapes of the API, as docs/openapi says them; tests/web-types/run generates what these lines import.
import type { components as BookingApi } from 'karcis-api/booking';
import type { components as EventApi } from 'karcis-api/event';
import type { components as PaymentApi } from 'karcis-api/payment';
import type { components as UserApi } from 'karcis-api/user';

export type Money = EventApi['schemas']['Money'];
export type Event = EventApi['schemas']['Event'];
export type ListedEvent = EventApi['schemas']['ListedEvent'];
export type TicketType = EventApi['schemas']['TicketType'];
export type Booking = BookingApi['schemas']['Booking'];
export type TimelineEntry = BookingApi['schemas']['TimelineEntry'];
export type Payment = PaymentApi['schemas']['Payment'];
export type NextAction = PaymentApi['schemas']['NextAction'];
export type Method = PaymentApi['schemas']['Method'];
export type Profile = UserApi['schemas']['Profile'];
export type SessionItem = UserApi['schemas']['SessionItem'];
export type FieldError = { field: string; message: string };
export type List<T> = { items: T[]; next_cursor: string | null };
