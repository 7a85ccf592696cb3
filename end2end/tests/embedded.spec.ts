import { copyFileSync, linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from '../fixtures.ts';

const file = process.env.TEST_MODEL ?? '';
const models = mkdtempSync(join(tmpdir(), 'colloquy-models-'));

test.use({ serverSettings: { COLLOQUY_LOCAL_MODELS: models, COLLOQUY_DEFAULT_MODEL: `local/${basename(file, '.gguf')}` } });

test.beforeAll(() => {
  // It is removed after each group of tests, and a worker may run several.
  mkdirSync(models, { recursive: true });
  const there = join(models, basename(file));
  try {
    linkSync(file, there);
  } catch {
    copyFileSync(file, there);
  }
});
test.afterAll(() => rmSync(models, { recursive: true, force: true }));

test('the embedded model answers', async ({ chat, person, page }) => {
  test.slow();
  expect(person.email).toBeTruthy();
  await expect(page.getByText(/very small model/)).toBeVisible();
  await chat.ask('What is the capital of France? Answer in one short sentence.');
  await expect(chat.answer).toContainText('Paris', { timeout: 60_000 });
  await expect(chat.send).toBeVisible({ timeout: 60_000 });
  await page.reload();
  await expect(chat.answer).toContainText('Paris');
});

test('the line about the small model leads to a larger one, and is gone for good once it is dismissed', async ({ chat, person, page, hydrated }) => {
  expect(person.email).toBeTruthy();
  const line = page.getByText(/very small model/);
  const dismiss = page.getByRole('button', { name: 'Dismiss' });
  await expect(line.getByRole('link', { name: 'Connect a larger model' })).toHaveAttribute('href', '/models');
  if (!hydrated) {
    await expect(dismiss).toBeHidden();
    return;
  }
  await dismiss.click();
  await expect(line).toHaveCount(0);
  await chat.openNew();
  await expect(chat.composer).toBeVisible();
  await expect(line).toHaveCount(0);
});
