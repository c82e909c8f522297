using System.Globalization;
using System.Text.Json;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// The table service's error: <c>{"odata.error":{"code":"EntityAlreadyExists","message":{"lang":"en-US","value":"2:The specified entity already exists.
/// …"}}}</c>.
/// </summary>
/// <param name="Code">The error code, or null if the body is not such JSON.</param>
/// <param name="Message">The text.</param>
/// <param name="Index">The refused operation of a batch, or -1: the number in front of the text.</param>
internal readonly record struct TableError(string? Code, string? Message, int Index)
{
    /// <summary>Whether the table itself is missing or going.</summary>
    public bool IsTable => Code is "TableNotFound" or "TableBeingDeleted";

    /// <summary>The refusal as an outcome, or null if it is none.</summary>
    public StorageStatus? Status(int http) => http switch
    {
        _ when IsTable => null,
        404 => StorageStatus.NotFound,
        409 => StorageStatus.Conflict,
        412 => StorageStatus.PreconditionFailed,
        413 => StorageStatus.TooLarge,
        400 when Code is "RequestBodyTooLarge" or "ContentLengthExceeded" => StorageStatus.TooLarge,
        400 => StorageStatus.Invalid,
        _ => null,
    };

    public static TableError Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var error = document.RootElement.GetProperty("odata.error"u8);
            var code = error.GetProperty("code"u8).GetString();
            var message = error.TryGetProperty("message"u8, out var text) && text.TryGetProperty("value"u8, out var value) ? value.GetString() : null;
            return new TableError(code, message, IndexIn(message));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new TableError(null, null, -1); // A proxy's page, or XML: the status must do.
        }
    }

    private static int IndexIn(string? message)
    {
        var colon = message?.IndexOf(':') ?? -1;
        return colon is > 0 and <= 3 && int.TryParse(message.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1;
    }
}
