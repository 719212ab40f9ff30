package signin

import (
	"net/http"

	"elevate/internal/pim"
)

// A refusal ends a step with a page. Its reason is one of our own words, for the log; what foreign libraries and
// services said stays out of both.
type refusal struct {
	why  string
	err  *pim.Error
	page *page // the page to show instead of the sentence alone
	over bool  // the session that it came from cannot be used any more
}

// Error returns the reason.
func (r *refusal) Error() string { return r.why }

// Unwrap returns what may be shown.
func (r *refusal) Unwrap() error { return r.err }

// refuse makes a refusal of kind Forbidden.
func refuse(why, sentence string) error {
	return &refusal{why: why, err: pim.Errorf(pim.Forbidden, "%s", sentence)}
}

// statusOf is the HTTP status of a page that says an error.
func statusOf(kind pim.Kind) int {
	switch kind {
	case pim.Invalid, pim.SignIn:
		return http.StatusBadRequest
	case pim.Forbidden:
		return http.StatusForbidden
	case pim.NotFound:
		return http.StatusNotFound
	case pim.Conflict:
		return http.StatusConflict
	case pim.Throttled:
		return http.StatusTooManyRequests
	case pim.Unavailable, pim.AnswerLost:
		return http.StatusServiceUnavailable
	case pim.Administered, pim.Internal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}
