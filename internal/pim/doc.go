// Package pim holds the words and rules of Elevate: what a request for an
// activation is, which states it goes through, who may decide it, what the
// words of Microsoft Entra Privileged Identity Management (PIM) mean, and what
// people may type.
//
// It knows no network, no file, no clock and no chat: time comes in as an
// argument and every rule is a plain function. Any doubt refuses.
package pim
