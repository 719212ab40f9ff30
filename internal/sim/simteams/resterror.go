package simteams

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// restError is an error of the connector.
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/conversation-messages#status-codes-from-bot-conversational-apis
type restError struct {
	status  int
	code    string
	message string
	retry   int // seconds; zero: the connector does not say
}

func (e *restError) Error() string { return e.code + ": " + e.message }

// The connector's errors by their code.
var restErrors = map[string]restError{
	"BotNotRegistered":                    {status: http.StatusUnauthorized, message: "No registration found for this bot."},
	"BotDisabledByAdmin":                  {status: http.StatusForbidden, message: "The tenant admin disabled this bot"},
	"BotNotInConversationRoster":          {status: http.StatusForbidden, message: "The bot is not part of the conversation roster."},
	"ConversationBlockedByUser":           {status: http.StatusForbidden, message: "User blocked the conversation with the bot."},
	"ForbiddenOperationException":         {status: http.StatusForbidden, message: "Bot is not installed in user's personal scope"},
	"InvalidBotApiHost":                   {status: http.StatusForbidden, message: "Invalid bot api host."},
	"NotEnoughPermissions":                {status: http.StatusForbidden, message: "The bot doesn't have required permissions to perform this action."},
	"MessageWritesBlocked":                {status: http.StatusForbidden, message: "Thread is write restricted."},
	"ConversationNotFound":                {status: http.StatusNotFound, message: "Conversation not found."},
	"ActivityNotFoundInConversation":      {status: http.StatusNotFound, message: "The message ID provided could not be found in the conversation."},
	"TARGETED_MESSAGE_EXPIRED_OR_DELETED": {status: http.StatusNotFound, message: "The targeted message has expired or was deleted."},
	"MemberNotFoundInConversation":        {status: http.StatusNotFound, message: "Member not found in conversation."},
	"PreconditionFailed":                  {status: http.StatusPreconditionFailed, message: "Precondition failed, please try again."},
	"MessageSizeTooBig":                   {status: http.StatusRequestEntityTooLarge, message: "Message size too large."},
	"Throttled":                           {status: http.StatusTooManyRequests, message: "Too many requests."},
	"ServiceError":                        {status: http.StatusInternalServerError, message: "Internal service error."},
	"BadArgument":                         {status: http.StatusBadRequest},
	"BadSyntax":                           {status: http.StatusBadRequest},
	"INVALID_TARGETED_MESSAGE_ID":         {status: http.StatusBadRequest, message: "The targeted message id is invalid."},
	"UnsupportedMediaType":                {status: http.StatusUnsupportedMediaType, message: "The request entity's media type is not supported for this resource."},
}

func refuse(code string) *restError {
	e := restErrors[code]
	e.code = code
	return &e
}

// bad refuses what the bot sent, with what is wrong about it.
func bad(message string) *restError {
	e := refuse("BadArgument")
	e.message = message
	return e
}

func (e *restError) write(w http.ResponseWriter) {
	if e.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retry))
	}
	writeJSON(w, e.status, object{"error": object{"code": e.code, "message": e.message}})
}

// denied is what a token that is not good gets; it has no code.
func denied(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	writeJSON(w, http.StatusUnauthorized, object{"message": "Authorization has been denied for this request."})
}

// writeJSON writes an answer. A failed write means that the caller has gone.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if v != nil {
		_ = json.NewEncoder(w).Encode(v)
	}
}
