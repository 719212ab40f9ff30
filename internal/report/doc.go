// Package report turns requests and their events into what an auditor reads: a page that stands alone, and the same as
// CSV and JSON. It is pure: it reads no state file, writes no file and has no clock.
//
// What people typed is cleaned once, in Add: control, invisible and bidirectional characters are gone after that, in all
// three forms. The page is escaped by html/template, and the cells of the CSV by cell.
package report
