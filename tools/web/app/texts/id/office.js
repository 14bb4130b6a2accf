// @ts-check
// The texts of the office, in Indonesian.
export default {
  'office.title': 'Kantor',
  'office.soon': 'Bagian ini sedang dibuat',
};
