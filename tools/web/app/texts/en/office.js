// @ts-check
// The texts of the office, in English.
export default {
  'office.title': 'Office',
  'office.soon': 'This part is being built',
};
