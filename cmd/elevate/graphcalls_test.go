package main

import (
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"elevate/internal/pim"
	"elevate/internal/sim/simentra"
)

// What an elevation asks of Graph besides polling and the audit log. A batch is one call, whatever is in it; a token is none.
const (
	submitting     = "alice POST assignmentScheduleRequests"
	beforeDecision = "app POST /$batch: GET assignmentScheduleRequests/{id}, GET /policies/roleManagementPolicyAssignments, " +
		"GET /groups/{id}/transitiveMembers/microsoft.graph.user, GET /users/{id}, GET /users/{id}"
	beforeBlindDecision = "app POST /$batch: GET assignmentScheduleRequests/{id}, GET /policies/roleManagementPolicyAssignments, " +
		"GET /users/{id}, GET /users/{id}"
	readingApprovers = "GET /groups/{id}/transitiveMembers/microsoft.graph.user"
	readingStage     = "bob GET assignmentApprovals/{id}/stages"
	deciding         = "bob PATCH assignmentApprovals/{id}/stages/{stage}"
	readingEnd       = "app POST /$batch: GET assignmentScheduleRequests/{id}, GET assignmentScheduleInstances, POST /users/{id}/checkMemberGroups"
)

// mostCalls is what an elevation with approval may cost besides them.
const mostCalls = 6

func TestAnElevationWithApprovalCostsSixGraphCallsFromItsRequestToItsEnd(t *testing.T) {
	w := newCountingWorld(t)
	w.untilSwept(time.Time{})
	w.signsIn("alice")
	w.signsIn("bob")
	w.box.Entra.ResetCalls()
	w.act("alice slack /elevate mde-admin isolating WS-042")
	w.turns("alice", pim.Pending)
	w.act("bob slack sees #approvals until WS-042")
	w.act("bob slack click Approve in #approvals")
	w.turns("alice", pim.Active)
	w.asked(w.besides(polling), submitting, beforeDecision, readingStage, deciding)
	w.box.Entra.ResetCalls()
	w.act("clock +1h")
	w.turns("alice", pim.Ended)
	w.asked(w.besides(auditing), readingEnd, readingEnd)
}

func TestAnElevationOfStrangersWithAnUnreadablePolicyCostsOneMoreGraphCall(t *testing.T) {
	w := newCountingWorld(t)
	// PIM lets Elevate read no policy, so that it has to ask PIM whether Bob may decide before his click becomes a claim.
	w.box.Entra.SetBehavior(func(b *simentra.Behavior) { b.PolicyNeedsRole = true })
	w.forgetPolicies()
	w.act("alice slack /elevate mde-admin isolating WS-042")
	w.act("alice web sign-in")
	w.turns("alice", pim.Pending)
	w.act("bob slack sees #approvals until WS-042")
	w.act("bob slack click Approve in #approvals")
	w.act("bob web sign-in")
	w.turns("alice", pim.Active)
	w.asked(w.besides(polling), submitting, beforeBlindDecision, readingStage, readingStage, deciding)
}

func TestAnElevationRightAfterTheStartCostsNoMoreGraphCalls(t *testing.T) {
	w := newCountingWorld(t)
	w.signsIn("alice")
	w.signsIn("bob")
	w.box.Entra.SetBehavior(func(b *simentra.Behavior) { b.PolicyNeedsRole = true })
	w.forgetPolicies()
	// Nothing is known of the role. Who reads its policy first, the sweep or the poll, reads the approvers, too.
	w.box.Entra.SetBehavior(func(b *simentra.Behavior) { b.PolicyNeedsRole = false })
	w.act("alice slack /elevate mde-admin isolating WS-042")
	w.turns("alice", pim.Pending)
	w.act("bob slack sees #approvals until WS-042")
	w.until(w.approversKnown, "nobody read the approvers")
	w.act("bob slack click Approve in #approvals")
	w.turns("alice", pim.Active)
	got := w.besides(polling)
	if len(got) > mostCalls {
		t.Errorf("%d calls: %q", len(got), got)
	}
	got = slices.DeleteFunc(got, func(call string) bool { return call == "app POST /$batch: "+readingApprovers })
	w.asked(got, submitting, beforeDecision, readingStage, deciding)
}

func TestAnIdleBotAsksGraphNothingButTheSweep(t *testing.T) {
	w := newCountingWorld(t)
	w.untilSwept(time.Time{})
	// People are linked and an access has come and gone: what is over costs nothing.
	w.signsIn("alice")
	w.act("alice slack /elevate mde-analyst looking at the alert")
	w.turns("alice", pim.Active)
	w.act("clock +5h")
	id := w.turns("alice", pim.Ended).ID
	w.act("clock +10m")
	w.until(func() bool {
		r := w.request(id)
		return len(r.Untraced()) == 0
	}, "the audit log's rows of it were not read")
	w.box.Entra.ResetCalls()
	for range 5 {
		before := w.box.Clock.Now()
		w.act("clock +1h")
		w.untilSwept(before)
	}
	w.asked(w.besides())
	if len(w.box.Entra.Trips()) == 0 {
		t.Error("nothing was swept, so nothing was seen")
	}
}

// newCountingWorld is a world whose lists come in pages as long as Graph's and whose directory does not lag, so that
// nothing is read twice because of the sandbox.
func newCountingWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, nil)
	w.box.Entra.SetBehavior(func(b *simentra.Behavior) { b.PageSize, b.MemberLag, b.ListLag = 100, 0, 0 })
	return w
}

// untilSwept waits until a sweep succeeds that began after that time.
func (w *world) untilSwept(since time.Time) {
	w.t.Helper()
	w.until(func() bool { return w.bot.service.Swept().After(since) }, "PIM was not swept")
}

// forgetPolicies starts the bot anew, waits until its first sweep is over, and forgets what that asked.
func (w *world) forgetPolicies() {
	w.t.Helper()
	if err := w.stopBot(); err != nil {
		w.t.Fatal(err)
	}
	w.box.Entra.ResetCalls()
	if err := w.restart(); err != nil {
		w.t.Fatal(err)
	}
	w.until(func() bool { return slices.ContainsFunc(w.box.Entra.Trips(), sweeping) }, "PIM was not swept")
	w.box.Entra.ResetCalls()
}

// restart starts a bot on what another one left.
func (w *world) restart() error {
	w.t.Helper()
	none := func(string) (string, bool) { return "", false }
	return w.startBot(w.t.Context(), filepath.Dir(w.bot.cfg.KeysetFile), none, slog.New(slog.DiscardHandler))
}

// approversKnown reports whether the approvers were read before the newest poll.
func (w *world) approversKnown() bool {
	trips := w.box.Entra.Trips()
	read := slices.IndexFunc(trips, func(t simentra.Trip) bool { return slices.Contains(t.Items, readingApprovers) })
	return read >= 0 && slices.ContainsFunc(trips[read+1:], polling)
}

// asked compares the calls that were made.
func (w *world) asked(got []string, want ...string) {
	w.t.Helper()
	if !slices.Equal(got, want) {
		w.t.Errorf("asked of Graph:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// besides lists the calls so far without the sweep's, the roster's, and those of other kinds.
func (w *world) besides(kinds ...func(simentra.Trip) bool) []string {
	var calls []string
	for _, trip := range w.box.Entra.Trips() {
		if sweeping(trip) || findingOnCall(trip) || slices.ContainsFunc(kinds, func(is func(simentra.Trip) bool) bool { return is(trip) }) {
			continue
		}
		calls = append(calls, shapeOf(trip))
	}
	return calls
}

const pimBase = "/identityGovernance/privilegedAccess/group/"

// shapeOf writes a call in a line.
func shapeOf(t simentra.Trip) string {
	line := t.By + " " + t.Operation
	if len(t.Items) > 0 {
		line += ": " + strings.Join(t.Items, ", ")
	}
	return strings.ReplaceAll(line, pimBase, "")
}

// sweeping reports whether a call is the sweep's: it alone lists the requests of groups.
func sweeping(t simentra.Trip) bool {
	if slices.Contains(t.Items, "GET "+pimBase+"assignmentScheduleRequests") {
		return true
	}
	// What did not go into the first twenty.
	return len(t.Items) > 0 && !slices.ContainsFunc(t.Items, func(item string) bool { return item != "GET "+pimBase+"eligibilityScheduleInstances" })
}

// findingOnCall reports whether a call finds out once whose the address of who is on call is.
func findingOnCall(t simentra.Trip) bool { return t.By == "app" && t.Operation == "GET /users/{id}" }

// auditing reports whether a call reads the audit log, minutes later and once for everything in a group.
func auditing(t simentra.Trip) bool {
	return slices.Contains(t.Items, "GET /auditLogs/directoryAudits")
}

// polling reports whether a call is a look of the watch's, from the answer to the request until the access was read: it
// reads requests, and no person as a decision does.
func polling(t simentra.Trip) bool {
	return slices.Contains(t.Items, "GET "+pimBase+"assignmentScheduleRequests/{id}") && !slices.Contains(t.Items, "GET /users/{id}")
}
