// What the office reads of sales and attendees.
import type { Money } from '../../types.js';

export type TypeSales = { ticket_type_id: string; name: string; capacity: number; free: number; held: number; sold: number; used: number; revenue: Money };
export type DaySales = { day: string; sold: number; refunded: number; revenue: Money; refunds: Money };
export type Sales = { event_id: string; version: number; time_zone: string; revenue: Money; ticket_types: TypeSales[]; days: DaySales[]; as_of: string };
export type ListedTicket = { code: string; ticket_type_id: string; name: string; booking_id: string; state: 'valid' | 'used' | 'cancelled'; checked_in_at: string | null; gate: string | null };
export type NamedBooking = { booking_id: string; buyer_name: string | null; attendees: { ticket_type_id: string; name: string }[] };
