// Package sim is the sandbox: a tenant, a Slack workspace and the people in them, offline and at the wire, with a door
// in front of the bot that ends TLS as a deployment's would.
//
// Everything listens on loopback only, under a certificate authority of its own, and all its secrets begin with
// sandbox-. It imports nothing of the program it serves, so that a mistake cannot hide on both sides, and it refuses to
// know better than that program: what people see is what arrived at the fake services.
package sim
