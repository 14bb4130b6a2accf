// The pictures of the README, of a town where much goes on: tests/browser/run pictures.mjs
import { admin, api, bookingsOf, bookWith, buyer, concert, DESK_TOP, eventually, isConfirmed, pay, PHONE, signIn, story, toCheckout } from './harness.mjs';

const PICTURES = `${process.env.KARCIS_SCREENS}/../../docs/screens`;

const picture = async (page, name) => {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${PICTURES}/${name}.jpg`, type: 'jpeg', quality: 80, animations: 'disabled' });
};

const EVENTS = [
  ['Angklung Night', 'Saung Udjo, Bandung', 350_000], ['Jazz by the Harbour', 'Sunda Kelapa, Jakarta', 620_000],
  ['Ramayana Ballet', 'Candi Prambanan, Yogyakarta', 450_000], ['Rust Jakarta Meetup', 'Gedung Filateli, Jakarta', 0],
  ['Gamelan at Dawn', 'Puri Saren, Ubud', 280_000], ['Java Coffee Fair', 'Benteng Vredeburg, Yogyakarta', 75_000],
  ['Losari Sunset Cinema', 'Pantai Losari, Makassar', 120_000], ['Keroncong Reunion', 'Kota Tua, Jakarta', 200_000],
];

/** Sold, held, cancelled and declined: what an afternoon leaves behind. */
async function afternoon(event) {
  const people = await Promise.all(['Ayu', 'Budi', 'Citra', 'Dewi', 'Eko', 'Fajar'].map((name) => buyer(name)));
  for (const [at, person] of people.entries()) {
    for (let more = 0; more <= at; more += 1) {
      const { booking } = await bookWith(person, event, 'tok_approved', { type: more % event.ticket_types.length, quantity: 4 });
      await eventually(booking, 'confirmed');
    }
  }
  const [ayu, budi, citra, dewi, eko] = people;
  await bookWith(ayu, event, 'tok_insufficient_funds', { status: 402 });
  await bookWith(budi, event, 'tok_stolen_card', { status: 402 });
  for (const person of [citra, dewi]) {
    const { booking_id, booking } = await bookWith(person, event, 'tok_approved', { quantity: 3 });
    await eventually(booking, 'confirmed');
    await api('POST', '/booking/cancel', { token: person.token, body: { booking_id }, status: 202 });
  }
  const { booking_id, booking } = await bookWith(eko, event, 'tok_refund_refused');
  await eventually(booking, 'confirmed');
  await api('POST', '/booking/cancel', { token: eko.token, body: { booking_id }, status: 202 });
}

story('the pictures of the README', { refusals: [409] }, async ({ open }) => {
  for (const [title, venue, price] of EVENTS) await concert({ title, venue, price });
  const kinds = [['Festival', 750_000, 200], ['Tribune', 1_250_000, 80], ['VIP', 2_500_000, 24]];
  const ticket_types = kinds.map(([name, amount, capacity]) => ({ name, price: { amount, currency: 'IDR' }, capacity, max_per_booking: 4 }));
  const event = await concert({ title: 'Senja Festival', ticket_types });

  const shop = await open({ viewport: DESK_TOP });
  await shop.goto('/');
  await shop.getByRole('link', { name: /Senja Festival/ }).waitFor();
  await picture(shop, 'browse');

  const phone = await open({ viewport: PHONE, colorScheme: 'dark' });
  const sari = await buyer();
  await toCheckout(phone, sari, event);
  await picture(phone, 'checkout');
  await pay(phone);
  await isConfirmed(phone);
  await phone.getByRole('img', { name: /QR|code/i }).first().waitFor();
  await picture(phone, 'booking');
  const [{ booking_id }] = await bookingsOf(sari);
  const { tickets } = await api('GET', `/bookings/${booking_id}`, { token: sari.token });

  await afternoon(event);
  const office = await open({ viewport: DESK_TOP });
  await office.goto(`/office/e/${event.event_id}`);
  await signIn(office, admin);
  await office.getByRole('heading', { name: 'Day by day' }).waitFor();
  await picture(office, 'sales');

  const door = await open({ viewport: PHONE });
  await door.goto(`/door/${event.event_id}`);
  await signIn(door, admin);
  await door.getByLabel('Name of this gate').fill('North');
  await door.getByRole('button', { name: 'Open the door' }).click();
  await door.getByText(/List of/).waitFor();
  await door.getByLabel('Type or scan a code').fill(tickets[0].code);
  await door.getByRole('button', { name: 'Check', exact: true }).click();
  await door.getByRole('alertdialog', { name: 'Welcome' }).waitFor();
  await picture(door, 'door');

  const console_ = await open({ viewport: DESK_TOP });
  await console_.goto('/console');
  await signIn(console_, admin);
  await console_.getByRole('link', { name: /Stuck bookings 1/ }).waitFor();
  await picture(console_, 'console');
});
