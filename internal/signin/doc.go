// Package signin proves who stands behind a chat account and keeps the sign-ins that people open for Elevate.
//
// A chat account asks for a link (Link). Opening the link changes nothing, because scanners open links: it shows whose
// link it is and what will happen. The button spends it, and what follows is bound to that one browser by a cookie:
//
//	link → page → button → Entra → (unlinked account: Sign in with Slack) → link, session → what was interrupted goes on
//
// Everything in flight is a ticket of the store: its key is the hash of a random value that only the browser holds, its
// content is sealed, it is used once and dies after ten minutes. A state value is hashed together with the issuer it was
// made for, so that no answer of one issuer fits the callback of the other.
//
// A sign-in that is kept is a session: one MSAL client and one token cache per person and chat account, sealed for
// exactly that tenant, person and account. Token opens it, lets MSAL renew what has to be renewed, and seals it again.
//
// The package refuses: to take a claim from anything but an ID token whose signature, issuer, audience, expiry and nonce
// it has checked; accounts of other tenants and guests; to link a chat account whose owner did not prove it in the same
// browser; to serve a session to another person or chat account; and to let a token, a code, an address with a query or
// an answer of a token endpoint reach a log, a page or an error.
package signin
