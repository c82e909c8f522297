using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Audit;

/// <summary>Brings syslog messages (RFC 5424) to a repository: datagrams (RFC 5426), or TLS with counted octets (RFC 5425).</summary>
internal sealed class SyslogSender(AuditOptions options, TimeProvider time) : IDisposable
{
    // authpriv (10) and notice (5).
    private const int Priority = (10 * 8) + 5;
    private const int MaxDatagram = 65_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly string host = Printable(Environment.MachineName);
    private UdpClient? udp;
    private SslStream? tls;
    private Task? end;

    /// <summary>Whether it was made with these options.</summary>
    public bool IsFor(AuditOptions other) => ReferenceEquals(options, other);

    /// <summary>Sends a message.</summary>
    /// <exception cref="IOException">It could not be sent.</exception>
    public async Task SendAsync(byte[] xml, DateTimeOffset at, CancellationToken cancellationToken)
    {
        // RFC 5424 6.4: text in UTF-8 begins with a byte order mark.
        var header = string.Create(CultureInfo.InvariantCulture,
            $"<{Priority}>1 {at.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {host} dicom-gateway {Environment.ProcessId} DICOM+RFC3881 - ");
        byte[] message = [.. Encoding.ASCII.GetBytes(header), 0xEF, 0xBB, 0xBF, .. xml];
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            if (options.Transport == AuditTransport.Udp) await SendDatagramAsync(message, either.Token);
            else await SendOverTlsAsync(message, either.Token);
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException or OperationCanceledException
            or AuthenticationException or CryptographicException)
        {
            Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw new IOException(exception is OperationCanceledException ? $"{options.Host} did not take a message within {Patience.TotalSeconds:0} s."
                : exception.Message, exception);
        }
    }

    /// <summary>Closes the connection; the next message opens another.</summary>
    public void Dispose()
    {
        udp?.Dispose();
        tls?.Dispose();
        (udp, tls, end) = (null, null, null);
    }

    private async Task SendDatagramAsync(byte[] message, CancellationToken cancellationToken)
    {
        if (udp is null)
        {
            var found = await System.Net.Dns.GetHostAddressesAsync(options.Host, cancellationToken);
            udp = new UdpClient(found[0].AddressFamily);
            udp.Connect(found[0], options.EffectivePort);
        }
        await udp.SendAsync(message.AsMemory(0, Math.Min(message.Length, MaxDatagram)), cancellationToken);
    }

    private async Task SendOverTlsAsync(byte[] message, CancellationToken cancellationToken)
    {
        // A repository never sends: when a read ends, it has closed the connection, and a write would be lost without a sign.
        if (end is { IsCompleted: true }) Dispose();
        if (tls is null)
        {
            tls = await ConnectAsync(cancellationToken);
            end = WatchAsync(tls);
        }
        await tls.WriteAsync(Encoding.ASCII.GetBytes(message.Length.ToString(CultureInfo.InvariantCulture) + " ").Concat(message).ToArray(), cancellationToken);
        await tls.FlushAsync(cancellationToken);
    }

    private static async Task WatchAsync(SslStream stream)
    {
        try
        {
            var nothing = new byte[256];
            while (await stream.ReadAsync(nothing, CancellationToken.None) > 0) { }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // Closed as well.
        }
    }

    private async Task<SslStream> ConnectAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? stream = null;
        try
        {
            await socket.ConnectAsync(options.Host, options.EffectivePort, cancellationToken);
            stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            // Read for each connection, so that renewed files come into use.
            var files = new CertificateSource(options.CertificatePath, options.KeyPath, options.AuthorityPath);
            var settings = new SslClientAuthenticationOptions { TargetHost = options.Host, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
            if (files.Certificate is { } own) settings.ClientCertificateContext = own;
            settings.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => IsTrusted(files, certificate, chain, errors);
            await stream.AuthenticateAsClientAsync(settings, cancellationToken);
            return stream;
        }
        catch
        {
            if (stream is not null) await stream.DisposeAsync();
            socket.Dispose();
            throw;
        }
    }

    private bool IsTrusted(CertificateSource files, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (!options.CheckHostName) errors &= ~SslPolicyErrors.RemoteCertificateNameMismatch;
        if (files.Authorities is null) return errors == SslPolicyErrors.None;
        return (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None && files.IsTrusted(certificate, chain);
    }

    // RFC 5424 6: 33 to 126.
    private static string Printable(string text) =>
        text.Length > 0 ? string.Concat(text.Take(255).Select(character => character is > ' ' and <= '~' ? character : '-')) : "-";
}
