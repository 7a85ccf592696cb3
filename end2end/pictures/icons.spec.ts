import { readFileSync } from 'node:fs';
import { test } from '@playwright/test';

const MARK = readFileSync('../public/icon.svg', 'utf8');
const BACKGROUND = '#0a7a78';

// `space` is the part of the picture around the mark: systems cut maskable icons to a circle, and round those of Apple.
for (const { name, size, space } of [
  { name: 'icon-192', size: 192, space: 0 },
  { name: 'icon-512', size: 512, space: 0 },
  { name: 'icon-maskable-512', size: 512, space: 0.1 },
  { name: 'apple-touch-icon', size: 180, space: 0.04 },
])
  test(`the icon ${name}`, async ({ page }) => {
    await page.setViewportSize({ width: size, height: size });
    const inner = Math.round(size * (1 - 2 * space));
    const style = `margin:0;display:grid;place-items:center;height:100vh;background:${space ? BACKGROUND : 'transparent'}`;
    await page.setContent(`<body style="${style}">${MARK.replace('<svg', `<svg width="${inner}" height="${inner}"`)}`);
    await page.screenshot({ path: `../public/${name}.png`, omitBackground: true });
  });
