// @ts-check
// The texts of the console, in Indonesian.
export default {
  'console.title': 'Konsol',
  'console.soon': 'Bagian ini sedang dibuat',
};
