// Package workflowtest holds what tests of the workflow stand on: a Directory
// in memory that keeps PIM's rules, a Messenger that records, both with faults
// that can be called up, and the suite that every chat's Messenger has to pass.
//
// It is for tests only. It speaks the workflow's own types and so proves
// nothing about the wire; the sandbox does that.
package workflowtest
