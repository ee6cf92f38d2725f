// A repository that another project depends on (`npm install git+…`) is packed without `prepack`, and has to be compiled;
// npm runs the same script after `npm ci` in a checkout, which runs from its sources.
if ((process.env['INIT_CWD'] ?? process.cwd()) !== process.cwd()) await import('./build.js');
