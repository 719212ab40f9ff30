package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/slack-go/slack"

	"elevate/internal/exchange"
	"elevate/internal/pim"
)

// kinds sorts Slack's error codes by what can be done about them. Codes that
// are not here are faults of ours: a call that Slack does not understand.
var kinds = map[string]pim.Kind{
	"channel_not_found": pim.NotFound, "message_not_found": pim.NotFound, "is_archived": pim.NotFound,
	"cant_update_message": pim.NotFound, "edit_window_closed": pim.NotFound, "thread_not_found": pim.NotFound,
	"not_found": pim.NotFound, "view_not_found": pim.NotFound,

	"not_in_channel": pim.Forbidden, "user_not_in_channel": pim.Forbidden, "restricted_action": pim.Forbidden,
	"restricted_action_read_only_channel": pim.Forbidden, "restricted_action_thread_only_channel": pim.Forbidden,
	"restricted_action_non_threadable_channel": pim.Forbidden, "restricted_action_thread_locked": pim.Forbidden,
	"user_not_found": pim.Forbidden, "users_not_found": pim.Forbidden, "user_disabled": pim.Forbidden,
	"user_not_visible": pim.Forbidden, "cannot_dm_bot": pim.Forbidden, "cannot_dm_user": pim.Forbidden,
	"messages_tab_disabled": pim.Forbidden, "not_enabled": pim.Forbidden, "ekm_access_denied": pim.Forbidden, "team_access_not_granted": pim.Forbidden,

	"invalid_auth": pim.Administered, "not_authed": pim.Administered, "account_inactive": pim.Administered,
	"token_revoked": pim.Administered, "token_expired": pim.Administered, "no_permission": pim.Administered,
	"missing_scope": pim.Administered, "not_allowed_token_type": pim.Administered, "org_login_required": pim.Administered,
	"access_denied": pim.Administered, "two_factor_setup_required": pim.Administered, "accesslimited": pim.Administered,
	"team_not_found": pim.Administered, "enterprise_is_restricted": pim.Administered, "socket_mode_not_enabled": pim.Administered,
	"link_disabled": pim.Administered, "unknown_method": pim.Administered, "method_deprecated": pim.Administered,

	"ratelimited": pim.Throttled, "rate_limited": pim.Throttled, "message_limit_exceeded": pim.Throttled,

	"service_unavailable": pim.Unavailable, "request_timeout": pim.Unavailable, "team_added_to_org": pim.Unavailable,
	"too_many_websockets": pim.Unavailable,

	// Slack documents of these two that some of it may have been done.
	"internal_error": pim.AnswerLost, "fatal_error": pim.AnswerLost,

	"expired_trigger_id": pim.Conflict, "trigger_expired": pim.Conflict, "exchanged_trigger_id": pim.Conflict,
	"trigger_exchanged": pim.Conflict, "invalid_trigger_id": pim.Conflict,
}

var sentences = map[pim.Kind]string{
	pim.NotFound:     "Slack does not know that message or conversation any more",
	pim.Forbidden:    "Slack does not let Elevate write there",
	pim.Administered: "Elevate's installation in Slack has to be mended by an administrator",
	pim.Throttled:    "Slack asks Elevate to wait",
	pim.Unavailable:  "Slack cannot be reached at the moment",
	pim.AnswerLost:   "Slack did not say whether it did what Elevate asked for",
	pim.Conflict:     "Slack gave up waiting for the form",
	pim.Internal:     "Slack did not understand Elevate",
}

// word is what Slack's codes and scopes look like; anything else in their place is not repeated.
var word = regexp.MustCompile(`^[a-z0-9_:.,]{1,80}$`)

// fault turns what slack-go returned for a method into an Error. No text of the
// network's or of slack-go's is carried on: it may hold an address or a token.
func fault(method string, err error) error {
	if err == nil {
		return nil
	}
	e := judge(err)
	text := sentences[e.Kind]
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	e.Message = text + "."
	return fmt.Errorf("slack %s: %w", method, e)
}

func judge(err error) *pim.Error {
	var known *pim.Error
	var refused slack.SlackErrorResponse
	var limited *slack.RateLimitedError
	var status slack.StatusCodeError
	var broken *exchange.Error
	switch {
	case errors.As(err, &known):
		return &pim.Error{Kind: known.Kind, Code: known.Code, RetryAfter: known.RetryAfter}
	case errors.As(err, &refused):
		return refusal(refused)
	case errors.As(err, &limited):
		return &pim.Error{Kind: pim.Throttled, RetryAfter: limited.RetryAfter}
	case errors.As(err, &status):
		return &pim.Error{Kind: kindOfStatus(status.Code), Code: fmt.Sprintf("http_%d", status.Code)}
	case errors.As(err, &broken) && !broken.Sent:
		return &pim.Error{Kind: pim.Unavailable}
	case errors.As(err, &broken) || undecoded(err):
		return &pim.Error{Kind: pim.AnswerLost}
	case isTimeout(err):
		return &pim.Error{Kind: pim.AnswerLost}
	case isNetwork(err):
		return &pim.Error{Kind: pim.Unavailable} // of the socket's connection: calls end as an exchange.Error
	}
	return &pim.Error{Kind: pim.Internal}
}

func refusal(r slack.SlackErrorResponse) *pim.Error {
	e := &pim.Error{Kind: pim.Internal}
	if word.MatchString(r.Err) {
		e.Code = r.Err
	}
	if kind, ok := kinds[r.Err]; ok {
		e.Kind = kind
	}
	if e.Kind == pim.Throttled {
		e.RetryAfter = exchange.WaitUnsaid
	}
	if e.Code == "missing_scope" && word.MatchString(r.Needed) {
		e.Code += ": " + r.Needed
	}
	return e
}

// kindOfStatus says what an HTTP status without an answer of Slack's means.
// Behind 500, 502 and 504 the call may have been carried out.
func kindOfStatus(code int) pim.Kind {
	switch {
	case code == http.StatusTooManyRequests:
		return pim.Throttled
	case code == http.StatusServiceUnavailable || code == http.StatusRequestTimeout:
		return pim.Unavailable
	case code >= http.StatusInternalServerError:
		return pim.AnswerLost
	}
	return pim.Administered
}

// undecoded reports an answer that slack-go could not read.
func undecoded(err error) bool {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &mismatch) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func isNetwork(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

// incomplete is an answer that says yes and leaves out what it is about.
func incomplete(method string) error {
	return fault(method, &exchange.Error{Sent: true, What: "the answer is not complete"})
}

// read turns a fault of a call that changes nothing: a lost answer is no more
// than a call that has to be made again.
func read(err error) error {
	var e *pim.Error
	if errors.As(err, &e) && e.Kind == pim.AnswerLost {
		return fmt.Errorf("reading: %w", &pim.Error{Kind: pim.Unavailable, Message: sentences[pim.Unavailable] + ".", RetryAfter: time.Second})
	}
	return err
}
