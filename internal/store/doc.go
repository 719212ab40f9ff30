// Package store is the state file: one bbolt file that holds what Elevate intends, what happened, and what is still to
// be done. A change, its audit event and the effects it causes are one transaction, on the disk before Update returns.
//
// It judges nothing: who may do what is decided by package pim and its callers. It refuses a record that was changed
// from outside, a file of a newer version, a second process, and network file systems. It makes no network call, and no
// function in it reads ended requests to do its work: cost grows with what is open, never with what is stored.
//
// # Schema, version 4
//
// A record's value is a version byte (1), the MAC of bucket, key, version and content under the keyset (37 bytes), and
// the content as JSON. An index entry has no content, or the id of what it leads to: what it leads to is a record, is
// checked as one, and must agree with the entry. Parts of a key, written with | here, end with 00 01, and 00 within one
// is written 00 FF, so that keys sort by their parts. Times are nanoseconds since 1970, 8 bytes; ~ means all bits
// turned, so that the newest comes first.
//
//	bucket            key                     value
//	meta              "schema"                record {version, created}
//	                  "chain"                 record {seq, mac, told, requests}: the newest event, the newest event on
//	                                          the sink as far as known, how many requests there are
//	notes             name                    record: what the callers keep under a name
//	requests          request id              record pim.Request
//	requests_open     group | state | request id              index
//	requests_open_of  group | account or person | request id  index
//	requests_pim      PIM's request id        index → request id
//	requests_person   person | ~created id    index, requester and principal
//	requests_account  account | ~created id   index
//	requests_role     role | ~created id      index
//	events            seq, 8 bytes            version byte, chain MAC (37 bytes), pim.Event as JSON; the MAC is over the
//	                                          MAC before it, the seq and the JSON
//	events_request    request id | seq        index
//	effects           key                     record Effect
//	parked            key                     record Parked
//	intents           id                      record Intent
//	intents_account   account | id            index
//	intents_request   request id | id         index
//	refs              request id | channel | message id    record Ref
//	refs_message      channel | message id    index → request id
//	links             account                 record Link
//	links_person      person | account        index
//	persons           person                  record {parent}: the two are one person; of the one without a parent {members}
//	sessions          account                 record Session
//	sessions_person   person | account        index
//	session_caches    account                 record: the session's token cache, sealed, not as JSON. Each command reads
//	                                          its session, only what is done as the person reads the cache
//	tickets           hash                    record Ticket
//	seen              key                     record {answer, expires}
//	expiry            time bucket | key       index of seen, tickets and sessions by the time they expire
//
// # What tampering shows
//
// A record or an event that was changed, moved or invented is refused with its name when it is read. An event that was
// taken away breaks the chain, also at its end, because "chain" names the newest. Who can write the file can still put
// a whole older file in its place: that shows against an anchor or an exported stream only (Verify).
package store
