// How answers look: directions, long code, wide tables, formulas.
import { expect, expectNoSidewaysScroll, test } from '../fixtures.ts';

const LINES = Array.from({ length: 40 }, (_, i) => `let x${i} = ${i};`);

test('lists and quotes from the right stay within the column', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await page.setViewportSize({ width: 390, height: 844 });
  await chat.ask('echo - عنصر\n- item\n\n> اقتباس\n\n| العدد | b |\n|---|---|\n| 1 | 2 |');
  await expect(chat.answer.locator('table')).toHaveAttribute('dir', 'rtl');
  await expect(chat.answer.locator('ul')).toHaveAttribute('dir', 'rtl');
  const column = await chat.answer.locator('.prose').boundingBox();
  // The text of each item ends before the marker, which has its place at the right.
  for (const text of ['عنصر', 'item']) {
    const right = await chat.answer.getByRole('listitem').filter({ hasText: text }).evaluate((item) => {
      const range = document.createRange();
      range.selectNodeContents(item);
      return range.getBoundingClientRect().right;
    });
    expect(right).toBeLessThan(column!.x + column!.width - 12);
    expect(right).toBeGreaterThan(column!.x + column!.width - 60);
  }
  const border = await chat.answer.locator('blockquote').evaluate((quote) => getComputedStyle(quote).borderRightWidth);
  expect(border).toBe('3px');
  const [first, second] = await Promise.all([0, 1].map((n) => chat.answer.locator('th').nth(n).boundingBox()));
  expect(first!.x).toBeGreaterThan(second!.x);
  await expectNoSidewaysScroll(page);
});

test('long code is folded, and can be shown and wrapped without scripts', async ({ chat, person, page, hydrated, expectAccessible }) => {
  expect(person.email).toBeTruthy();
  await chat.ask(`echo \`\`\`rust\n// ${'long '.repeat(60)}\n${LINES.join('\n')}\n\`\`\``);
  await expect(chat.answer.locator('pre')).toContainText('let x39 = 39;');
  await expect(chat.retry).toBeVisible();
  const code = chat.answer.locator('pre');
  const height = async () => (await code.boundingBox())!.height;
  if (hydrated) {
    // Nothing is folded under the eyes of the reader.
    expect(await height()).toBeGreaterThan(800);
  }
  await chat.open(chat.path);
  expect(await height()).toBeLessThan(500);
  await expectAccessible();
  await chat.answer.getByText('Show all 41 lines').click();
  await expect.poll(height).toBeGreaterThan(800);
  await chat.answer.getByText('Show less').click();
  await expect.poll(height).toBeLessThan(500);

  const overflow = () => code.evaluate((pre) => pre.scrollWidth - pre.clientWidth);
  expect(await overflow()).toBeGreaterThan(100);
  await chat.answer.getByText('Wrap', { exact: true }).click();
  await expect.poll(overflow).toBe(0);
  await expectNoSidewaysScroll(page);
});

test('the head of code stays in view', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  await chat.ask(`echo \`\`\`rust\n${LINES.join('\n')}\n\`\`\``);
  await expect(chat.retry).toBeVisible();
  await chat.open(chat.path);
  await chat.answer.getByText('Show all 40 lines').click();
  const top = (selector: string) => page.locator(selector).evaluate((element) => element.getBoundingClientRect().top);
  await page.locator('pre').evaluate((pre) => pre.scrollIntoView({ block: 'end' }));
  expect(await top('.code-block')).toBeLessThan(await top('.scroller'));
  expect(Math.abs((await top('.code-head')) - (await top('.scroller')))).toBeLessThan(2);
});

for (const [direction, heading, by] of [['left', 'A heading', 150], ['right', 'עמודה רחבה', -150]] as const) test(`the first column of a wide table from the ${direction} stays while the others scroll`, async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  const row = (cell: string) => `| 1 | ${Array.from({ length: 11 }, (_, i) => `${cell} ${i}`).join(' | ')} |`;
  await chat.ask(`echo ${row(heading)}\n${'|---'.repeat(12)}|\n${row('two words')}`);
  await expect(chat.answer.locator('td')).toHaveCount(12);
  // A table that is still being written is replaced with every update.
  await expect(chat.retry).toBeVisible();
  const scroller = chat.answer.getByRole('group', { name: 'Table' });
  expect(await scroller.evaluate((table) => table.scrollWidth - table.clientWidth)).toBeGreaterThan(200);
  const left = (cell: number) => chat.answer.locator('td').nth(cell).evaluate((td) => td.getBoundingClientRect().left);
  const [first, second] = [await left(0), await left(1)];
  await scroller.evaluate((table, x) => table.scrollBy(x, 0), by);
  expect(await left(0)).toBeCloseTo(first, 0);
  expect(await left(1)).toBeCloseTo(second - by, 0);
  await expectNoSidewaysScroll(page);
});

test('the font for formulas is only loaded for formulas', async ({ chat, person, page }) => {
  expect(person.email).toBeTruthy();
  const loaded = () => page.evaluate(() => [...document.fonts].map((font) => `${font.family.replaceAll('"', '')} ${font.status}`));
  await chat.ask('echo no formula');
  await expect(chat.answer).toContainText('no formula');
  expect(await loaded()).toEqual(['Formulas unloaded']);
  await chat.openNew();
  await chat.ask('echo $$\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}$$');
  await expect(chat.answer.locator('mtd')).toHaveCount(4);
  // A system with a mathematical font does not need the file, so it is loaded explicitly.
  await page.evaluate(async () => (await document.fonts.load('16px Formulas')).length);
  expect(await loaded()).toEqual(['Formulas loaded']);
  const [a, b] = await Promise.all([0, 1].map((n) => chat.answer.locator('mtd').nth(n).boundingBox()));
  const gap = await chat.answer.locator('mtd').nth(1).evaluate((cell) => Number.parseFloat(getComputedStyle(cell).paddingLeft));
  expect(b!.x).toBeGreaterThan(a!.x);
  expect(gap).toBeGreaterThan(4);
});
