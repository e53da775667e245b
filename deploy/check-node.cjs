/*
 * Whether the Node that runs this can run the project. Prints what to do and ends with 1 where it cannot. It is plain old
 * JavaScript, so that any Node can say so.
 */
'use strict';

var OLDEST = '26.12.1';
var NEWEST_MAJOR = 26;

function parts(version) {
  return version.replace(/^v/, '').split('.').map(Number);
}

function isOlder(version, than) {
  var a = parts(version);
  var b = parts(than);
  for (var i = 0; i < 3; i++) if (a[i] !== b[i]) return a[i] < b[i];
  return false;
}

/**
 * From Node 23 until 26.12.0, 24.22 aside, JSON.parse can take the key of an earlier object for one that is written with
 * an escape. This is the smallest case.
 */
function parsesWrongly() {
  JSON.parse('{"q":1,"\\\\":2,"z":3}');
  return Object.keys(JSON.parse('{"q":1,"\\u0041":2,"z":3}'))[1] !== 'A';
}

/** What is wrong with Node `version`; undefined for nothing. */
function problemOf(version, parseIsWrong) {
  var shown = 'Node ' + version.replace(/^v/, '');
  if (parseIsWrong) return shown + ' is known to be bad: it parses some JSON wrongly';
  if (isOlder(version, OLDEST)) return shown + ' is too old';
  if (parts(version)[0] > NEWEST_MAJOR) return shown + ' is too new: nothing here has been tested with it';
  return undefined;
}

/** Where a right Node comes from. */
function adviceFor(platform, arch, isMusl) {
  var wanted = 'Node ' + OLDEST + ' or a later ' + NEWEST_MAJOR;
  if (platform === 'linux' && isMusl)
    return (
      'On Alpine and other systems with musl the Node of npm does not start: "apk add nodejs-current npm" where that is ' +
      wanted +
      ', or use an image with glibc.'
    );
  if (platform === 'linux' && (arch === 'x64' || arch === 'arm64'))
    return 'Run "make clean" and then make again: npm ci brings ' + wanted + ' into node_modules/.bin.';
  if (platform === 'darwin')
    return (
      'There is no npm package of ' +
      wanted +
      ' for macOS (' +
      arch +
      '). Install it from https://nodejs.org or with "brew install node", put it first on PATH and run make again.'
    );
  if (platform === 'win32')
    return (
      'There is no npm package of ' +
      wanted +
      ' for Windows. Work in WSL, where npm ci brings it, or install it from https://nodejs.org, and run make again from a shell that has GNU make.'
    );
  return 'Install ' + wanted + ' from https://nodejs.org, put it first on PATH and run make again.';
}

function usesMusl() {
  // Node 12 and later have reports; older ones are told that they are too old all the same.
  var report = process.platform === 'linux' && process.report && process.report.getReport && process.report.getReport();
  return Boolean(report) && Boolean(report.header) && !report.header.glibcVersionRuntime;
}

module.exports = { OLDEST: OLDEST, problemOf: problemOf, adviceFor: adviceFor };

if (require.main === module) {
  var problem = problemOf(process.version, parsesWrongly());
  if (problem !== undefined) {
    console.error(problem + ' (' + process.execPath + ').');
    console.error(adviceFor(process.platform, process.arch, usesMusl()));
    process.exit(1);
  }
}
