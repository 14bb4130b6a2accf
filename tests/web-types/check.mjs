// What tsc does not see: vendored files, the texts of both languages, the length of files, and the weight of the first load.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

const app = 'tools/web/app';
const packages = join(process.argv[2], 'node_modules');
/** How much the first load may weigh, compressed. */
const FIRST_LOAD_BYTES = 60_000;
const broken = [];

const vendored = JSON.parse(readFileSync(`${app}/vendor/vendor.json`, 'utf8'));
for (const { name, version, source, file, sha256 } of vendored) {
  const here = readFileSync(`${app}/vendor/${file}`);
  if (createHash('sha256').update(here).digest('hex') !== sha256) broken.push(`vendor/${file} is not what vendor.json says`);
  if (!here.equals(readFileSync(join(packages, name, source)))) broken.push(`vendor/${file} differs from ${source} of ${name}`);
  const released = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8')).version;
  if (released !== version) broken.push(`vendor.json says ${name} ${version}, tests/web-types/package.json ${released}`);
}
const listed = ['vendor.json', ...vendored.map(({ file }) => file)];
for (const file of readdirSync(`${app}/vendor`)) if (!listed.includes(file)) broken.push(`vendor/${file} is not in vendor.json`);

const sources = readdirSync(app, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(js|css)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name));
const code = sources.filter((file) => file.endsWith('.js')).map((file) => readFileSync(file, 'utf8')).join('\n');

for (const area of readdirSync(`${app}/texts/en`)) {
  const [english, indonesian] = await Promise.all(['en', 'id'].map(async (language) =>
    (await import(pathToFileURL(`${app}/texts/${language}/${area}`).href)).default));
  for (const key of Object.keys({ ...english, ...indonesian })) {
    if (!english[key] || !indonesian[key]) broken.push(`texts/${area}: ${key} is missing in ${english[key] ? 'id' : 'en'}`);
    const names = (text) => [...(text ?? '').matchAll(/\{\w+\}/g)].map(([name]) => name).sort().join();
    if (names(english[key]) !== names(indonesian[key])) broken.push(`texts/${area}: ${key} names other values in id`);
  }
}
const texts = (await Promise.all(readdirSync(`${app}/texts/en`).map(async (area) =>
  Object.keys((await import(pathToFileURL(`${app}/texts/en/${area}`).href)).default)))).flat();
for (const [, how, key] of code.matchAll(/\b(tn?)\('([a-z][\w.-]*)'/g)) {
  if (!texts.includes(how === 'tn' ? `${key}.other` : key)) broken.push(`no text has the key ${key}`);
}

for (const file of sources) {
  const lines = readFileSync(file, 'utf8').split('\n');
  if (lines.length > 401) broken.push(`${relative('.', file)} has ${lines.length} lines; at most 400`);
  if (file.endsWith('.js') && lines[0] !== '// @ts-check') broken.push(`${file} does not begin with // @ts-check`);
  if (/\bstyle=/.test(lines.join('\n')) && file.endsWith('.js')) broken.push(`${file} has an inline style, which the page's policy refuses`);
}

const page = readFileSync(`${app}/index.html`, 'utf8');
const first = new Set([...page.matchAll(/(?:src|href)="\{\{base\}\}([^"]+)"/g)].map(([, file]) => file));
for (const file of [...first, 'screens/browse.js', 'texts/en/shop.js']) follow(file);
/** Adds what a module imports at once. */
function follow(file) {
  first.add(file);
  const text = readFileSync(join(app, file), 'utf8');
  for (const [, from] of text.matchAll(/^(?:import|export)[^;]*? from '(\.[^']+)'/gm)) {
    const next = join(file, '..', from);
    if (!first.has(next)) follow(next);
  }
}
const weight = [...first].reduce((sum, file) => sum + brotliCompressSync(readFileSync(join(app, file))).length, brotliCompressSync(page).length);
console.log(`first load: ${first.size + 1} files, ${weight} bytes compressed`);
if (weight > FIRST_LOAD_BYTES) broken.push(`the first load weighs ${weight} bytes; at most ${FIRST_LOAD_BYTES}`);

for (const line of broken) console.error(line);
process.exitCode = broken.length ? 1 : 0;
