// The shapes of the operators' API that the console shows.
import type { components as BookingApi } from 'karcis-api/booking';
import type { components as EventApi } from 'karcis-api/event';
import type { components as PaymentApi } from 'karcis-api/payment';

export type Saga = BookingApi['schemas']['Saga'];
export type SagaStory = BookingApi['schemas']['SagaStory'];
export type Hold = EventApi['schemas']['Hold'];
export type PaymentStory = PaymentApi['schemas']['PaymentStory'];
export type UnsettledPayment = PaymentApi['schemas']['UnsettledPayment'];
export type OutcomeCount = PaymentApi['schemas']['OutcomeCount'];
export type WaitingMessages = BookingApi['schemas']['WaitingMessages'];
export type DeadLetter = BookingApi['schemas']['DeadLetter'];
export type ParkedMessage = BookingApi['schemas']['ParkedMessage'];
export type Difference = BookingApi['schemas']['Difference'];
export type AuditEntry = BookingApi['schemas']['AuditEntry'];
