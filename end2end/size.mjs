// Prints the Brotli-compressed size that a first visit to each bundle of pages loads, and compares it with the budget.
//
//   node size.mjs PKG_FOLDER BUDGET_FILE
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const [folder = '', budgetFile = ''] = process.argv.slice(2);
const files = readdirSync(folder);
/** @param {(file: string) => boolean} test */
const compressedSize = (test) =>
  files.filter((file) => file.endsWith('.br') && test(file)).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);

const manifest = files.find((file) => /^__wasm_split_manifest\..*json$/.test(file)) ?? '';
/** @type {Record<string, string[]>} */
const bundles = JSON.parse(readFileSync(join(folder, manifest), 'utf8'));
const always = compressedSize((file) => /^(colloquy|__wasm_split)\.[^/]*\.(wasm|js|css)\.br$/.test(file));
const budgets = readFileSync(budgetFile, 'utf8').split('\n').filter((line) => line && !line.startsWith('#'));

let good = always > 100_000 && budgets.length === Object.keys(bundles).length;
for (const line of budgets) {
  const [bundle = '', allowed] = line.split(' ');
  const loaded = bundles[bundle] ?? [];
  const bytes = always + compressedSize((file) => loaded.includes(file.replace(/\.wasm\.br$/, '')));
  console.error(`${bundle}: ${bytes} bytes (allowed: ${allowed})`);
  good &&= loaded.length > 0 && bytes <= Number(allowed);
}
process.exit(good ? 0 : 1);
