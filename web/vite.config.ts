import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The server sends `default-src 'none'; script-src 'self'; style-src 'self'`: nothing may be inlined into the page, so no
// data: assets in the style sheet, no inline module preload script.
export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, target: 'es2022', chunkSizeWarningLimit: 600 },
  server: {
    // `npx vite web` beside a running server: pages reload at once, everything else is the server's.
    proxy: Object.fromEntries(
      ['/v1', '/rpc', '/admin', '/login', '/logout', '/health', '/docs', '/openapi.json', '/openrpc.json'].map(
        (path) => [path, 'http://127.0.0.1:9920'],
      ),
    ),
  },
});
