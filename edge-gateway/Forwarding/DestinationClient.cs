using System.Net;
using System.Net.Security;
using DicomServerless.Dicom.Network;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>The connections to one destination.</summary>
internal sealed class DestinationClient : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15), ConnectionLifetime = TimeSpan.FromMinutes(5);

    private readonly HttpClient http;
    private readonly HttpClient plain;
    private readonly Credentials credentials;
    private readonly string baseUrl;

    /// <exception cref="IOException">A file of certificates cannot be read.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file of certificates cannot be used.</exception>
    public DestinationClient(DestinationOptions options, TimeProvider time)
    {
        baseUrl = options.Url.TrimEnd('/');
        var files = new CertificateSource(options.ClientCertificate, options.ClientCertificateKey, options.ServerCertificateAuthority);
        http = new HttpClient(Handler(options, files)) { Timeout = Timeout.InfiniteTimeSpan };
        // Token endpoints and blob hosts are other servers: they see neither the client certificate nor need the destination's authority.
        plain = new HttpClient(Handler(options, null)) { Timeout = Timeout.InfiniteTimeSpan }; // each request has a limit of its own
        credentials = new Credentials(options.Authentication, plain, time);
    }

    /// <summary>A request below the DICOMweb base.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, Action<HttpRequestMessage>? prepare,
        CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, baseUrl + path) { Content = content };
        request.Headers.TryAddWithoutValidation("Accept", "application/dicom+json, application/json;q=0.5");
        request.Headers.TryAddWithoutValidation("User-Agent", "DicomServerless-EdgeGateway/1");
        prepare?.Invoke(request);
        await credentials.AddAsync(request, cancellationToken);
        var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.Unauthorized) credentials.Refused();
        return answer;
    }

    /// <summary>A PUT to another server, by a URL that carries its own right.</summary>
    public async Task<HttpResponseMessage> PutAsync(Uri url, HttpContent content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, url) { Content = content };
        return await plain.SendAsync(request, cancellationToken);
    }

    public void Dispose()
    {
        credentials.Dispose();
        http.Dispose();
        plain.Dispose();
    }

    private static SocketsHttpHandler Handler(DestinationOptions options, CertificateSource? files)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // a redirect would repeat bodies and credentials elsewhere
            UseCookies = false,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = ConnectionLifetime,
            AutomaticDecompression = DecompressionMethods.All,
        };
        if (options.ProxyUrl.Length > 0)
            handler.Proxy = new WebProxy(options.ProxyUrl)
            {
                Credentials = options.ProxyUser.Length > 0 ? new NetworkCredential(options.ProxyUser, options.ProxyPassword) : null,
            };
        if (files is null) return handler;
        // Asked for at each handshake, and a connection lives for minutes: a renewed certificate comes into use without a restart.
        if (files.Certificate is not null) handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => Renewed().Certificate!.TargetCertificate;
        if (files.Authorities is not null)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, chain, errors) =>
                (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None && Renewed().IsTrusted(shown, chain);
        return handler;

        CertificateSource Renewed()
        {
            files.Refresh(out _);
            return files;
        }
    }
}
