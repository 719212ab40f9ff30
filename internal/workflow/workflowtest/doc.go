// Package workflowtest holds what tests of the workflow stand on: a Directory
// in memory that keeps PIM's rules, a Messenger that records, both with faults
// that can be called up, a Bot on a state file, and Conform, the suite that
// every chat has to pass.
//
// It is for tests only. Directory and Messenger speak the workflow's own types
// and so prove nothing about the wire. Conform goes over it: each adapter's test
// opens its chat before the sandbox's fake, and people act there.
package workflowtest
