package teams

import (
	"bytes"
	"encoding/json"
	"errors"
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
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/conversation-messages#status-codes-from-bot-conversational-apis
var shutCodes = map[string]string{
	"BotDisabledByAdmin":          "an administrator has blocked the app",
	"BotNotInConversationRoster":  "the app is not installed there, or not any more",
	"ConversationBlockedByUser":   "the person has blocked the app",
	"ForbiddenOperationException": "Teams does not let apps write there",
	"NotEnoughPermissions":        "the app may not write there",
	writesBlocked:                 "the person or an administrator has blocked messages of the app",
	"ConversationNotFound":        "Teams does not know that conversation",
}

// shutForAll are those of them that are about the bot, whatever it wanted there.
var shutForAll = []string{"BotDisabledByAdmin", "BotNotInConversationRoster", "ConversationBlockedByUser", writesBlocked}

const (
	writesBlocked = "MessageWritesBlocked"
	// tooLong is the code of a message that is too long, Teams' own and ours.
	tooLong = "MessageSizeTooBig"
)

// word is what Teams' error codes look like; anything else is not repeated.
var word = regexp.MustCompile(`^[A-Za-z0-9_]{1,60}$`)

// refused is the error for a conversation that may not be written to.
func refused(reason string) *pim.Error {
	why := shutCodes[reason]
	if why == "" {
		why = "Teams refused it"
	}
	return &pim.Error{Kind: pim.Forbidden, Code: reason, Message: "Elevate cannot write into that conversation in Teams: " + why + "."}
}

// fault turns an answer that is no success into an Error. Nothing of its text
// is carried on but the code.
func fault(resp *http.Response, body []byte) error {
	var said struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // an answer without a code has its status
	code := said.Error.Code
	if !word.MatchString(code) {
		code = "http_" + strconv.Itoa(resp.StatusCode)
	}
	if resp.StatusCode == http.StatusForbidden && bytes.Contains(body, []byte(writesBlocked)) {
		code = writesBlocked // Teams puts it into the text of another code
	}
	e := judge(resp.StatusCode, code)
	if e.Kind == pim.Throttled {
		e.RetryAfter = retryAfter(resp.Header)
	}
	return e
}

// judge sorts an answer by what can be done about it. Behind 500, 502 and 504
// the call may have been carried out. What Teams does not understand or take is
// not sent again: it would be no other the next time.
func judge(status int, code string) *pim.Error {
	e := &pim.Error{Code: code}
	switch {
	case shutCodes[code] != "" && (status == http.StatusForbidden || status == http.StatusNotFound):
		return refused(code)
	case code == tooLong:
		return tooBig()
	case status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable:
		e.Kind, e.Message = pim.AnswerLost, "Teams did not say whether it did what Elevate asked for ("+code+")."
		return e
	}
	switch status {
	case http.StatusTooManyRequests:
		e.Kind, e.Message = pim.Throttled, "Teams asks Elevate to wait."
	case http.StatusPreconditionFailed, http.StatusServiceUnavailable, http.StatusRequestTimeout:
		e.Kind, e.Message = pim.Unavailable, "Teams cannot take it at the moment."
	case http.StatusRequestEntityTooLarge:
		return tooBig()
	case http.StatusNotFound, http.StatusGone:
		e.Kind, e.Message = pim.NotFound, "Teams does not know that message or conversation any more ("+code+")."
	case http.StatusForbidden:
		e.Kind, e.Message = pim.Forbidden, "Teams does not let Elevate write there ("+code+")."
	case http.StatusUnauthorized:
		e.Kind, e.Message = pim.Administered, "Teams does not take Elevate's token ("+code+"). An administrator has to look at the bot's registration."
	default:
		e.Kind, e.Message = pim.Invalid, "Teams did not understand Elevate ("+code+")."
	}
	return e
}

func tooBig() *pim.Error {
	return &pim.Error{Kind: pim.Invalid, Code: tooLong, Message: "The message is too long for Teams."}
}

const (
	// mostWait bounds what a Retry-After may ask for, and unsaid is how long to
	// wait when it asks for nothing that can be read.
	mostWait = time.Hour
	unsaid   = 5 * time.Second
)

// retryAfter reads the seconds or the date that a 429 asks for.
func retryAfter(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseFloat(text, 64); err == nil && n >= 0 {
		return max(time.Duration(min(n, mostWait.Seconds())*float64(time.Second)), time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), time.Second), mostWait)
	}
	return unsaid
}

// broken is a call that got no answer. Nothing of the network's text goes on:
// it may hold an address.
func broken(err error) error {
	e := &pim.Error{Kind: pim.Unavailable, Message: "Teams cannot be reached at the moment."}
	if wire, ok := errors.AsType[*exchange.Error](err); ok && wire.Sent {
		e = &pim.Error{Kind: pim.AnswerLost, Message: "Teams did not say whether it did what Elevate asked for."}
	}
	return e
}

// reading is a fault of a call that changes nothing, or that may be made twice:
// a lost answer is no more than a call to make again.
func reading(err error) error {
	if e := pim.Explain(err); err != nil && e.Kind == pim.AnswerLost {
		return &pim.Error{Kind: pim.Unavailable, Code: e.Code, Message: "Teams cannot be reached at the moment.", RetryAfter: time.Second}
	}
	return err
}
