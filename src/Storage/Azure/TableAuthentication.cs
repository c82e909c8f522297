using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Core;
using Azure.Core.Pipeline;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// Signs requests to the table service with the account key: "Shared Key Lite", over the date and the path as sent. Runs again on each retry, as the date
/// ages.
/// </summary>
internal sealed class SharedKeyLitePolicy(string account, byte[] key, TimeProvider time) : HttpPipelineSynchronousPolicy
{
    public override void OnSendingRequest(HttpMessage message)
    {
        var date = time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
        // Only the comp parameter of a query is signed, and none of our requests has one.
        var signed = $"{date}\n/{account}{message.Request.Uri.ToUri().AbsolutePath}";
        message.Request.Headers.SetValue("x-ms-date", date);
        message.Request.Headers.SetValue("Authorization",
            $"SharedKeyLite {account}:{Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(signed)))}");
    }
}

/// <summary>Adds a shared access signature to the query, once however often the request is sent.</summary>
internal sealed class SignaturePolicy(string signature) : HttpPipelineSynchronousPolicy
{
    public override void OnSendingRequest(HttpMessage message)
    {
        var query = message.Request.Uri.Query;
        if (query.Contains(signature, StringComparison.Ordinal)) return;
        message.Request.Uri.Query = query.Length <= 1 ? "?" + signature : $"{query}&{signature}";
    }
}
