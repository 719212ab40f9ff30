package entra

import (
	"slices"
	"strconv"
	"strings"

	"elevate/internal/pim"
)

// signInAgain is said where only a new sign-in helps.
const signInAgain = "Microsoft Entra wants you to sign in again before this can be done. Sign in with the link you were sent."

// notCancelable is said where a request is past the point at which it can be withdrawn.
const notCancelable = "PIM refused: only a waiting or scheduled request can be canceled. Release the access instead if it is active."

// operation is what a call does, in metrics and in the table of verdicts.
type operation string

const (
	opSubmit  operation = "submit"
	opCancel  operation = "cancel"
	opStages  operation = "stages"
	opDecide  operation = "decide"
	opWaiting operation = "waiting"
	opGroup   operation = "group"
	opPerson  operation = "person"
	opClock   operation = "clock"
	opBatch   operation = "batch"
)

// changes reports whether the operation may leave something done when its answer is lost.
func (o operation) changes() bool {
	switch o {
	case opSubmit, opCancel, opDecide, opMakeGroup, opAddMember, opSetRule, opMakeEligible:
		return true
	case opStages, opWaiting, opGroup, opPerson, opClock, opBatch, opReadRules, opFindGroup:
	}
	return false
}

// personal reports whether the operation is carried out with a person's token.
func (o operation) personal() bool { return o.changes() || o == opStages || o == opWaiting }

// verdict is one row of the table: what a refusal means, and what to tell the person. An empty field matches all.
type verdict struct {
	op      operation
	reads   bool   // only for what the application reads
	code    string // in Graph's answer, without regard to case; "*X" matches an ending, "~x" a part of the message
	from    int    // statuses from … to
	to      int
	kind    pim.Kind
	message string
}

// verdicts is read from top to bottom; the first row that matches holds.
var verdicts = []verdict{
	{op: opCancel, code: "InvalidRoleAssignmentRequest", kind: pim.Conflict, message: notCancelable},

	// What the answer's code says, whatever its status.
	{code: "~self-approval", kind: pim.Forbidden, message: "PIM refused: nobody can decide their own request. Ask another approver."},
	{code: "*AcrsValidationFailed", kind: pim.SignIn, message: "PIM refused: this role wants a stronger sign-in. Sign in with the link you were sent, then it goes on."},
	{code: "RoleAssignmentExists", kind: pim.Conflict, message: "PIM refused: this access is already active. Release it first, or use it as it is."},
	{code: "PendingRoleAssignmentRequest", kind: pim.Conflict, message: "PIM refused: a request for this role is already open. Wait for its decision, or cancel it first."},
	{code: "RoleAssignmentRequestExists", kind: pim.Conflict, message: "PIM refused: a request for this role is already open. Wait for its decision, or cancel it first."},
	{code: "OverlapsPendingRoleAssignmentRequests", kind: pim.Conflict, message: "PIM refused: the time overlaps another request for this role. Cancel that one, or choose another time."},
	{code: "RoleAssignmentDoesNotExist", kind: pim.NotFound, message: "PIM refused: this access is not active, so there is nothing to end. Look at your status again in a minute."},
	{code: "RoleNotFound", kind: pim.NotFound, message: "PIM refused: it does not know this role's group. Tell an administrator to check the group in Elevate's settings."},
	{code: "SubjectNotFound", kind: pim.Unavailable, message: "PIM refused: it does not know the person or the group yet. New ones take a few minutes; try again then."},
	{code: "ResourceIsLocked", kind: pim.Unavailable, message: "PIM refused: it is changing this role's group at the moment. Try again in a minute."},
	{code: "ActiveDurationTooShort", kind: pim.Invalid, message: "PIM refused: access lasts at least five minutes. Ask for longer, or release it five minutes after its start."},
	{code: "CannotDeleteLastAdminAssignment", kind: pim.Forbidden, message: "PIM refused: the last owner cannot leave. Ask an administrator to name another owner first."},
	{code: "InvalidRoleAssignmentRequestSchedule", kind: pim.Administered, message: "PIM refused: the request's times were not understood. Tell an administrator to check the clock of Elevate's host."},
	{code: "InvalidRoleAssignmentRequest", kind: pim.Administered, message: "PIM refused: the request was not understood. Tell an administrator to check the clock of Elevate's host."},
	{code: "InsufficientPermissions", kind: pim.Forbidden, message: "PIM refused: you have no right to do this. Ask whoever manages the role to make you eligible for it."},
	{code: "PermissionScopeNotGranted", kind: pim.Administered, message: "Microsoft Graph refused: a consent is missing. Tell an administrator to grant consent to Elevate's permissions in Entra, under Enterprise applications, Elevate, Permissions; `elevate doctor` names them."},
	{code: "Authorization_RequestDenied", kind: pim.Administered, message: "Microsoft Entra refused: Elevate may not do this in the directory. Tell an administrator to look at its permissions in Entra, under Enterprise applications, Elevate, Permissions; `elevate doctor` names those it needs."},
	{code: "AadPremiumLicenseRequired", kind: pim.Administered, message: "PIM refused: the tenant has no license for it, or it ran out. Tell an administrator that Entra ID P2 or Governance is needed, in Entra under Billing, Licenses."},
	{code: "InvalidAuthenticationToken", op: opBatch, kind: pim.Administered, message: "Microsoft Graph refused Elevate's own sign-in. Tell an administrator to check its credential."},

	// What the status says of one operation.
	{op: opDecide, from: 403, to: 403, kind: pim.Forbidden, message: "PIM refused: you are not an approver of this request. Ask one of those it names."},
	{op: opDecide, from: 404, to: 404, kind: pim.NotFound, message: "PIM refused: this approval is not there any more. Look at the request's card for what happened."},
	{op: opDecide, from: 409, to: 409, kind: pim.Conflict, message: "PIM refused: somebody has decided this request already. Look at its card for the decision."},
	{op: opStages, from: 403, to: 403, kind: pim.Forbidden, message: "PIM refused: you are not an approver of this request. Ask one of those it names."},
	{op: opStages, from: 404, to: 404, kind: pim.NotFound, message: "PIM refused: this approval is not there any more. Look at the request's card for what happened."},
	{op: opCancel, from: 404, to: 404, kind: pim.NotFound, message: "PIM refused: this request is not there any more. Look at your status again."},
	{op: opCancel, from: 400, to: 400, kind: pim.Conflict, message: notCancelable},
	{op: opSubmit, from: 404, to: 404, kind: pim.NotFound, message: "PIM refused: it does not know this role or this access. Look at your roles again."},

	// What the status says of any call; these rows cover every status, which a test holds.
	{reads: true, from: 401, to: 401, kind: pim.Administered, message: "Microsoft Graph refused Elevate's own sign-in. Tell an administrator to check its credential."},
	{reads: true, from: 402, to: 403, kind: pim.Administered, message: "Microsoft Graph refused: Elevate may not read this. Tell an administrator to consent to its application permissions."},
	{reads: true, from: 400, to: 400, kind: pim.Administered, message: "Microsoft Graph did not understand Elevate's question. Tell an administrator."},
	{reads: true, from: 404, to: 404, kind: pim.NotFound, message: "Microsoft Graph does not know what Elevate asked about. Tell an administrator if it should."},
	{from: 400, to: 400, kind: pim.Invalid, message: "PIM refused the request. Check the role, the time and the reason, then ask again."},
	{from: 401, to: 401, kind: pim.SignIn, message: signInAgain},
	{from: 402, to: 402, kind: pim.Administered, message: "Microsoft Graph refused: the tenant's license does not cover this. Tell an administrator."},
	{from: 403, to: 403, kind: pim.Forbidden, message: "PIM refused: you may not do this. Ask whoever manages the role."},
	{from: 404, to: 404, kind: pim.NotFound, message: "PIM refused: it does not know what was asked for. Look at your status again."},
	{from: 409, to: 409, kind: pim.Conflict, message: "PIM refused: something else has changed this at the same moment. Look at its card, then try again."},
	{from: 410, to: 410, kind: pim.NotFound, message: "PIM refused: what was asked for is not there any more. Look at your status again."},
	{from: 408, to: 408, kind: pim.Unavailable, message: "Microsoft Graph took too long. Try again in a minute."},
	{from: 412, to: 412, kind: pim.Conflict, message: "PIM refused: something else has changed this at the same moment. Look at its card, then try again."},
	{from: 423, to: 423, kind: pim.Unavailable, message: "PIM refused: it is changing this role's group at the moment. Try again in a minute."},
	{from: 424, to: 425, kind: pim.Unavailable, message: "Microsoft Graph could not do this now. Try again in a minute."},
	{from: 429, to: 429, kind: pim.Throttled, message: "Microsoft Graph is asked too much at the moment. Nothing was changed; it is tried again after a while."},
	{from: 451, to: 451, kind: pim.Administered, message: "Microsoft Graph refused for legal reasons. Tell an administrator."},
	{from: 300, to: 399, kind: pim.Administered, message: "Microsoft Graph was not reached: something sent the call elsewhere. Tell an administrator to check the proxy."},
	{from: 400, to: 499, kind: pim.Administered, message: "Microsoft Graph did not understand Elevate. Nothing was changed; tell an administrator."},
	{from: 500, to: 599, kind: pim.Unavailable, message: "Microsoft Graph does not work at the moment. Nothing was changed; try again in a minute."},
	{kind: pim.Unavailable, message: "Microsoft Graph gave an answer that nobody understands. Try again in a minute."},
}

// answerLost is said where a change may or may not have been made.
const answerLost = "Microsoft Graph did not say whether it was done. Elevate looks at PIM before it does anything else."

// judge turns a refusal into an error that a person can act on.
func judge(op operation, f fault) *pim.Error {
	e := &pim.Error{Code: f.code, Rules: f.rules, RetryAfter: f.retryAfter, RequestID: f.requestID}
	switch {
	case op.changes() && (f.status >= 500 || f.status == 408):
		e.Kind, e.Message = pim.AnswerLost, answerLost
	case len(f.rules) > 0:
		e.Kind, e.Message = judgeRules(f.rules)
	case f.claims != "" && op.personal():
		e.Kind, e.Message = pim.SignIn, claimsMessage(f)
	default:
		row := rowFor(op, f)
		e.Kind, e.Message = row.kind, row.message
	}
	if e.Kind == pim.SignIn {
		e.Claims = f.claims
		if e.Claims == "" && len(f.rules) > 0 {
			e.Claims = wantMFA // PIM sends no challenge with the rule
		}
	}
	return e
}

// wantMFA has a sign-in use multifactor authentication, also where the browser is signed in without.
const wantMFA = `{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}`

func claimsMessage(f fault) string {
	if row := rowFor(opSubmit, f); row.kind == pim.SignIn {
		return row.message
	}
	return signInAgain
}

func rowFor(op operation, f fault) verdict {
	i := slices.IndexFunc(verdicts, func(v verdict) bool { return v.matches(op, f) })
	return verdicts[i] // the last row matches everything
}

func (v verdict) matches(op operation, f fault) bool {
	switch {
	case v.op != "" && v.op != op, v.reads && op.personal():
		return false
	case v.from != 0 && (f.status < v.from || f.status > v.to):
		return false
	}
	switch wanted := strings.ToLower(v.code); {
	case wanted == "":
		return true
	case wanted[0] == '*':
		return strings.HasSuffix(strings.ToLower(f.code), wanted[1:])
	case wanted[0] == '~':
		return strings.Contains(strings.ToLower(f.message), wanted[1:])
	default:
		return strings.ToLower(f.code) == wanted
	}
}

// rule is what to do about one of PIM's rules.
type rule struct {
	kind   pim.Kind
	advice string
}

var rules = map[string]rule{
	"eligibilityrule":   {pim.Forbidden, "you are not eligible for this role, so ask whoever manages it to make you so"},
	"justificationrule": {pim.Invalid, "it wants a reason, so say why you need the access"},
	"ticketingrule":     {pim.Invalid, "it wants a ticket, so give the number of one"},
	"expirationrule":    {pim.Invalid, "the time is longer than the role allows, so ask for less"},
	"mfarule":           {pim.SignIn, "it wants multifactor authentication, so sign in again with it"},
}

// judgeRules says what each failed rule wants. What cannot be mended at all comes first, what is typed before a sign-in.
func judgeRules(names []string) (pim.Kind, string) {
	kind, advice := pim.SignIn, make([]string, 0, len(names))
	for _, name := range names {
		r, known := rules[strings.ToLower(name)]
		if !known {
			r = rule{pim.Invalid, "its rule " + strconv.Quote(name) + " is not met, so ask an administrator what it wants"}
		}
		if r.kind == pim.Forbidden || (r.kind == pim.Invalid && kind == pim.SignIn) {
			kind = r.kind
		}
		advice = append(advice, r.advice)
	}
	return kind, "PIM refused: " + strings.Join(advice, "; ") + "."
}
