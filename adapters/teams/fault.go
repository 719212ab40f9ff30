package teams

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"elevate/internal/exchange"
	"elevate/internal/pim"
)

// shutCodes are those with which Teams says that the bot may not write into a
// conversation: nothing is gained by trying again soon.
var shutCodes = map[string]string{
	"BotDisabledByAdmin":          "an administrator has blocked the app",
	"BotNotInConversationRoster":  "the app is not installed there, or not any more",
	"ConversationBlockedByUser":   "the person has blocked the app",
	"ForbiddenOperationException": "Teams does not let apps write there",
	"NotEnoughPermissions":        "the app may not write there",
	"MessageWritesBlocked":        "the person or an administrator has blocked messages of the app",
	"ConversationNotFound":        "Teams does not know that conversation",
}

// code is what Teams' error codes look like; anything else is not repeated.
var code = regexp.MustCompile(`^[A-Za-z0-9_]{1,60}$`)

// refused is the error for a conversation that may not be written to.
func refused(reason string) error {
	why := shutCodes[reason]
	if why == "" {
		why = "Teams refused it"
	}
	return &pim.Error{Kind: pim.Forbidden, Code: reason, Message: "Elevate cannot write into that conversation in Teams: " + why + "."}
}

// fault turns an answer that is no success into an Error. Nothing of its text
// is carried on but the code.
func fault(call string, resp *http.Response, body []byte) error {
	var said struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Inner   struct {
				Code string `json:"code"`
			} `json:"innerHttpError"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // an answer without a code has its status
	e := &pim.Error{Code: said.Error.Code}
	if !code.MatchString(e.Code) {
		e.Code = "http_" + strconv.Itoa(resp.StatusCode)
	}
	if strings.Contains(said.Error.Message, "MessageWritesBlocked") {
		e.Code = "MessageWritesBlocked"
	}
	e.Kind, e.Message = kindOf(resp.StatusCode, e.Code)
	if e.Kind == pim.Throttled {
		e.RetryAfter = retryAfter(resp.Header)
	}
	return fmt.Errorf("teams %s: %w", call, e)
}

// kindOf sorts an answer by what can be done about it: 412, 429, 502, 503 and
// 504 may be tried again, and nothing else.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
func kindOf(status int, code string) (kind pim.Kind, message string) {
	switch {
	case status == http.StatusTooManyRequests:
		return pim.Throttled, "Teams asks Elevate to wait."
	case status == http.StatusPreconditionFailed || status == http.StatusServiceUnavailable:
		return pim.Unavailable, "Teams cannot take it at the moment."
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return pim.AnswerLost, "Teams did not say whether it did what Elevate asked for."
	case status == http.StatusRequestEntityTooLarge:
		return pim.Invalid, "Teams did not take the message because it is too long."
	case shutCodes[code] != "" && (status == http.StatusForbidden || status == http.StatusNotFound):
		return pim.Forbidden, "Elevate cannot write into that conversation in Teams: " + shutCodes[code] + "."
	case status == http.StatusNotFound:
		return pim.NotFound, "Teams does not know that message or conversation any more."
	case status == http.StatusForbidden:
		return pim.Forbidden, "Teams does not let Elevate write there (" + code + ")."
	case status == http.StatusUnauthorized:
		return pim.Administered, "Teams does not take Elevate's token (" + code + "). An administrator has to look at the bot's registration."
	case status >= http.StatusInternalServerError:
		return pim.AnswerLost, "Teams failed and did not say what it did (" + code + ")."
	}
	return pim.Internal, "Teams did not understand Elevate (" + code + ")."
}

// mostWait bounds what a Retry-After may ask for.
const mostWait = time.Hour

// retryAfter reads the seconds or the date that a 429 asks for.
func retryAfter(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 && n <= mostWait.Seconds() {
		return max(time.Duration(n*float64(time.Second)), time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), time.Second), mostWait)
	}
	return 5 * time.Second
}

// broken is a call that got no answer. Nothing of the network's text goes on:
// it may hold an address.
func broken(call string, err error) error {
	e := &pim.Error{Kind: pim.Unavailable, Message: "Teams cannot be reached at the moment."}
	var wire *exchange.Error
	if errors.As(err, &wire) && wire.Sent {
		e = &pim.Error{Kind: pim.AnswerLost, Message: "Teams did not say whether it did what Elevate asked for."}
	}
	return fmt.Errorf("teams %s: %w", call, e)
}

// reading is a fault of a call that changes nothing: a lost answer is no more
// than a call to make again.
func reading(err error) error {
	if pim.IsKind(err, pim.AnswerLost) {
		return &pim.Error{Kind: pim.Unavailable, Message: "Teams cannot be reached at the moment.", RetryAfter: time.Second}
	}
	return err
}
