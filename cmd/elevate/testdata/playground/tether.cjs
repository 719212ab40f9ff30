// Preloaded into the Playground. It listens on all interfaces and cannot be told otherwise: this keeps it on loopback.
// And it ends with its input, so that it does not outlive the test that started it.
'use strict';
const net = require('node:net');

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (where, ...rest) {
  if (typeof where === 'object' && where !== null) {
    return listen.call(this, { ...where, host: '127.0.0.1' }, ...rest);
  }
  return listen.call(this, where, '127.0.0.1', ...rest.filter((one) => typeof one === 'function'));
};

process.stdin.on('end', () => process.exit()).resume();
