import { closeSync, openSync, writeSync } from 'node:fs';
import { SeededRandom } from './seeded-random.ts';

const ROWS_PER_INSERT = 200;
const FIRST_NAMES =
  'Ana Luis María José Carmen Juan Elena Pedro Lucía Miguel Rosa Diego Paula Jorge Sofía Andrés'.split(' ');
const LAST_NAMES =
  'García Martínez López Hernández Pérez Gómez Sánchez Díaz Torres Ramírez Flores Rivera'.split(' ');
const CITIES = 'Bogotá Lima Quito Madrid Santiago Montevideo Rosario Guadalajara Sevilla Caracas'.split(' ');
const STATES = ['pending', 'paid', 'shipped', 'cancelled', 'returned'] as const;

/**
 * Writes a plausible dump of a shop's database to `file`, of exactly `bytes` bytes: tables of customers and
 * orders in multi-row INSERTs, which compress about six-fold.
 */
export function buildSqlDump(file: string, bytes: number, seed: number): void {
  const random = new SeededRandom(`sql ${seed}`);
  const descriptor = openSync(file, 'wx');
  try {
    let written = append(descriptor, HEADER, bytes);
    for (let id = 1; written < bytes; id += ROWS_PER_INSERT) {
      const isOrders = random.chance(0.75);
      const rows = Array.from({ length: ROWS_PER_INSERT }, (_, at) =>
        isOrders ? orderRow(random, id + at) : customerRow(random, id + at),
      );
      const statement = `INSERT INTO \`${isOrders ? 'orders' : 'customers'}\` VALUES\n${rows.join(',\n')};\n`;
      written += append(descriptor, statement, bytes - written);
    }
  } finally {
    closeSync(descriptor);
  }
}

const HEADER = `-- MySQL dump 10.19  Distrib 10.11.6-MariaDB
/*!40101 SET NAMES utf8mb4 */;
CREATE TABLE \`customers\` (\`id\` int NOT NULL, \`name\` varchar(80), \`mail\` varchar(120), \`phone\` varchar(20),
  \`city\` varchar(40), \`since\` datetime, \`notes\` text, PRIMARY KEY (\`id\`)) ENGINE=InnoDB;
CREATE TABLE \`orders\` (\`id\` int NOT NULL, \`customer\` int, \`total\` decimal(10,2), \`state\` enum('pending','paid'),
  \`placed\` datetime, \`token\` char(16), \`items\` json, PRIMARY KEY (\`id\`)) ENGINE=InnoDB;
`;

function customerRow(random: SeededRandom, id: number): string {
  const first = random.pick(FIRST_NAMES);
  const last = random.pick(LAST_NAMES);
  const mail = `${first}.${last}${random.below(1000)}@example.com`.toLowerCase();
  const phone = `+34 6${String(random.below(1e8)).padStart(8, '0')}`;
  const notes = random.text(random.below(60)).toString('latin1').replaceAll('\n', '\\n');
  return `(${id},'${first} ${last}','${mail}','${phone}','${random.pick(CITIES)}','${dateTime(id)}','${notes}')`;
}

function orderRow(random: SeededRandom, id: number): string {
  const total = (random.below(50_000) / 100).toFixed(2);
  const token = random.bits().toString(16).padStart(8, '0');
  const items = Array.from({ length: random.between(1, 3) }, () => {
    const product = random.below(300);
    const name = `${FIRST_NAMES[product % 16]} ${CITIES[product % 10]} ${product * 7}`;
    return `{\\"sku\\":\\"P-${product}\\",\\"name\\":\\"${name}\\",\\"amount\\":${random.between(1, 5)},\\"price\\":${product * 31 + 95}}`;
  });
  const state = random.pick(STATES);
  return `(${id},${random.below(100_000)},${total},'${state}','${dateTime(id)}','${token}','[${items.join(',')}]')`;
}

/** Rows are added in the order of time, a few a minute. */
function dateTime(id: number): string {
  const seconds = 1_600_000_000 + id * 17;
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

function append(descriptor: number, text: string, bytesMax: number): number {
  const bytes = Buffer.from(text, 'utf8').subarray(0, bytesMax);
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
  return bytes.length;
}
