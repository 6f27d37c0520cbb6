// Starts `name`, which is dist/<file or name>.cjs, under Node 24.6 or newer. Written in the syntax of old Nodes, so that they can say what is missing.
'use strict';

var fs = require('fs');
var os = require('os');
var path = require('path');

// The first with zstd dictionaries; the major version alone is not enough.
var needed = [24, 6];

function isNewEnough() {
  var own = process.versions.node.split('.').map(Number);
  return own[0] > needed[0] || (own[0] === needed[0] && own[1] >= needed[1]);
}

/** The Node that the private runtime package brings to a checkout. */
function packagedNode() {
  var executable = process.platform === 'win32' ? 'node.exe' : 'node';
  var candidate = path.join(
    __dirname,
    '..',
    'node_modules',
    'node-' + process.platform + '-' + process.arch,
    'bin',
    executable,
  );
  return fs.existsSync(candidate) ? candidate : undefined;
}

/** Starting costs 6 ms less when V8 finds the compiled code again. It is kept in the store, never where others may write. */
function keepCompiledCode() {
  var root = process.env.SFS_HOME || path.join(process.env.HOME || os.homedir(), '.sessionfs');
  if (fs.existsSync(root)) require('module').enableCompileCache(path.join(root, 'cache'));
}

function runUnder(node, script) {
  var child = require('child_process').spawn(node, [script].concat(process.argv.slice(2)), { stdio: 'inherit' });
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  child.on('error', function (error) {
    console.error('sfs: cannot start ' + node + ': ' + error.message);
    process.exitCode = 1;
  });
  child.on('close', function (status) {
    process.exitCode = status === null ? 1 : status;
  });
}

module.exports = function launch(name, file) {
  var script = path.join(__dirname, '..', 'dist', (file || name) + '.cjs');
  // Whatever is written is this person's alone, also by another Node.
  process.umask(63);
  if (isNewEnough()) {
    if (!fs.existsSync(script)) {
      console.error(name + ': it is not built yet; run: npm run build');
      process.exitCode = 1;
      return undefined;
    }
    keepCompiledCode();
    return require(script);
  }
  var node = packagedNode();
  if (node !== undefined && fs.existsSync(script)) return runUnder(node, script);
  console.error(
    name +
      ': needs Node ' +
      needed.join('.') +
      ' or newer, and this is ' +
      process.versions.node +
      '; see https://nodejs.org/',
  );
  process.exitCode = 1;
  return undefined;
};
