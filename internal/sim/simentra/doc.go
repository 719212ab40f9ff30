// Package simentra is the Entra half of the sandbox: the sign-in service and Microsoft Graph, offline, at the wire.
//
// It is a witness, not a friend: it follows Microsoft's documents and what was observed of the real service, checks every
// token and permission, applies PIM's rules, and answers what it does not know with the real service's error. It imports
// nothing of the program that it serves. It refuses to be useful outside a sandbox: it has no passwords, and whoever
// reaches it may sign in as anybody.
//
// Two clocks. What PIM plans (schedules, ends, approvals, audit rows), the times in ID tokens (iat, exp, auth_time) and
// Graph's Date header run on the movable clock, so that a test can look at tomorrow. The life of access tokens, refresh
// tokens and authorisation codes is counted in machine time, because MSAL and azcore read the machine's clock to decide
// whether a token is still good: if it ran on the movable clock, they would go on sending tokens that had died.
//
// Setting up. Groups are made, brought under PIM and given their rules as an administrator or a pipeline does it. What the
// service refuses there is refused here too; where its wording is not known, a comment or the refusal's own code says so.
//
// One mutex guards everything. Nothing runs in the background: what PIM would have done by now is done at the beginning
// of each call (settle).
package simentra
