using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>The credentials that a request carries. Tokens are kept until shortly before they expire.</summary>
internal sealed class Credentials(AuthenticationOptions options, HttpClient http, TimeProvider time) : IDisposable
{
    private const int MaxAnswerBytes = 1024 * 1024;

    private static readonly TimeSpan Early = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim renewing = new(1);
    private readonly TokenCredential? identity = options.Kind switch
    {
        AuthenticationKind.ManagedIdentity => new ManagedIdentityCredential(options.ClientId.Length > 0
            ? ManagedIdentityId.FromUserAssignedClientId(options.ClientId) : ManagedIdentityId.SystemAssigned),
        AuthenticationKind.WorkloadIdentity => new WorkloadIdentityCredential(options.ClientId.Length > 0
            ? new WorkloadIdentityCredentialOptions { ClientId = options.ClientId } : new WorkloadIdentityCredentialOptions()),
        _ => null,
    };
    private volatile Token? token;

    /// <param name="Text">What is sent.</param>
    /// <param name="Until">When the next request gets another.</param>
    private sealed record Token(string Text, DateTimeOffset Until);

    /// <summary>Adds the headers.</summary>
    /// <exception cref="CredentialsException">No token could be obtained.</exception>
    public async Task AddAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        switch (options.Kind)
        {
            case AuthenticationKind.None:
                return;
            case AuthenticationKind.Basic:
                request.Headers.Authorization = new AuthenticationHeaderValue("Basic",
                    Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.User}:{options.Password}")));
                return;
            case AuthenticationKind.ApiKey:
                request.Headers.TryAddWithoutValidation(options.Header, options.Key);
                return;
            default:
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync(cancellationToken));
                return;
        }
    }

    /// <summary>The server refused the token: the next request gets another.</summary>
    public void Refused() => token = null;

    public void Dispose() => renewing.Dispose();

    private async Task<string> TokenAsync(CancellationToken cancellationToken)
    {
        await renewing.WaitAsync(cancellationToken);
        try
        {
            var now = time.GetUtcNow();
            if (token is { } kept && now < kept.Until) return kept.Text;
            var (text, expires) = identity is null ? await RequestAsync(cancellationToken) : await IdentityAsync(identity, cancellationToken);
            // A token of a minute or two is used for half of its life; otherwise each request would ask for one.
            var early = TimeSpan.FromTicks(Math.Min(Early.Ticks, Math.Max(0, (expires - now).Ticks / 2)));
            token = new Token(text, expires - early);
            return text;
        }
        finally
        {
            renewing.Release();
        }
    }

    private async Task<(string, DateTimeOffset)> IdentityAsync(TokenCredential credential, CancellationToken cancellationToken)
    {
        try
        {
            var issued = await credential.GetTokenAsync(new TokenRequestContext([options.Scope]), cancellationToken);
            return (issued.Token, issued.ExpiresOn);
        }
        catch (AuthenticationFailedException e)
        {
            throw new CredentialsException("The identity gave no token.", e);
        }
    }

    // RFC 6749 4.4; the client's secret goes in the body, which every server takes.
    private async Task<(string, DateTimeOffset)> RequestAsync(CancellationToken cancellationToken)
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["client_id"] = options.ClientId,
            ["client_secret"] = options.ClientSecret };
        if (options.Scope.Length > 0) form["scope"] = options.Scope;
        try
        {
            using var content = new FormUrlEncodedContent(form);
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(options.TokenUrl)) { Content = content };
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!answer.IsSuccessStatusCode) throw new CredentialsException($"The token endpoint answered {(int)answer.StatusCode}.", null);
            await answer.Content.LoadIntoBufferAsync(MaxAnswerBytes, cancellationToken);
            using var json = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
            // A number (RFC 6749 5.1); some servers write it as a text.
            var seconds = json.RootElement.TryGetProperty("expires_in", out var expires)
                && int.TryParse(expires.ToString(), CultureInfo.InvariantCulture, out var number) ? number : 300;
            return (json.RootElement.GetProperty("access_token").GetString()!, time.GetUtcNow().AddSeconds(seconds));
        }
        catch (Exception e) when (e is HttpRequestException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CredentialsException("The token endpoint gave no token.", e);
        }
    }
}

/// <summary>No token could be obtained; the message is for an operator.</summary>
internal sealed class CredentialsException(string message, Exception? inner) : Exception(message, inner);
