/* global require, process */
// Runs in the release of Node.js that is to be looked at, down to 0.8: no syntax or method newer than that.
// argv[2]: a file of tls.createServer's options as JSON. Prints "port N"; answers each line on stdin with "connections
// N"; ends with its stdin, so that nothing is left when the one who started it dies.
var fs = require('fs');
var constants = require('constants');
var tls = require('tls');

var options = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
(options.without || []).forEach(function (version) {
  options.secureOptions = (options.secureOptions || 0) | constants['SSL_OP_NO_' + version];
});
var listening = false;
var connections = 0;
var server = tls.createServer(options, function (stream) {
  stream.on('error', function () {});
  stream.resume();
});
server.on('connection', function (socket) {
  connections += 1;
  socket.on('error', function () {});
});
server.on('clientError', function () {});
server.on('tlsClientError', function () {});
// what old releases throw when a handshake is broken off at the wrong moment
process.on('uncaughtException', function (error) {
  process.stderr.write(String(error && error.stack) + '\n');
  if (!listening) process.exit(1);
});
server.listen(0, '127.0.0.1', function () {
  listening = true;
  process.stdout.write('port ' + server.address().port + '\n');
});
process.stdin.on('data', function () {
  process.stdout.write('connections ' + connections + '\n');
});
process.stdin.on('end', function () {
  process.exit(0);
});
process.stdin.resume();
