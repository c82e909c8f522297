using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Query;

namespace DicomServerless.EdgeGateway.Scp;

/// <summary>
/// One of our AEs as an association called it, with the options of that moment: a change of the configuration does not touch associations that run.
/// </summary>
internal sealed class CalledAe
{
    private static readonly Uid[] Plain = [TransferSyntax.ExplicitVrLittleEndian.Uid, TransferSyntax.ImplicitVrLittleEndian.Uid];

    // What a sender offers in one context beside others: lossless syntaxes that every archive and viewer reads, then plain ones, then those that few read yet.
    // What may be lossy comes last and is never chosen beside another (E2).
    private static readonly Uid[] WellRead =
    [
        TransferSyntax.JpegLosslessSv1.Uid, TransferSyntax.JpegLsLossless.Uid, TransferSyntax.Jpeg2000Lossless.Uid, TransferSyntax.RleLossless.Uid,
        Uid.Parse("1.2.840.10008.1.2.4.57"), // JPEG Lossless, any predictor
        .. Plain, TransferSyntax.DeflatedExplicitVrLittleEndian.Uid, TransferSyntax.ExplicitVrBigEndian.Uid,
        Uid.Parse("1.2.840.10008.1.2.4.201"), Uid.Parse("1.2.840.10008.1.2.4.202"), // HTJ2K lossless, with and without RPCL
        Uid.Parse("1.2.840.10008.1.2.4.110"), // JPEG XL lossless
        TransferSyntax.DeflatedImageFrame.Uid, Uid.Parse("1.2.840.10008.1.2.1.98"), // Deflated Image Frame, Encapsulated Uncompressed
    ];

    private static readonly Uid[] DefaultOrder =
    [
        .. WellRead,
        .. TransferSyntax.All.Where(syntax => !syntax.MayBeLossy && !WellRead.Contains(syntax.Uid)).Select(syntax => syntax.Uid).Order(),
        .. TransferSyntax.All.Where(syntax => syntax.MayBeLossy).Select(syntax => syntax.Uid).Order(),
    ];

    private static readonly HashSet<string> FindClasses = [QueryRetrieveClasses.PatientRootFind, QueryRetrieveClasses.StudyRootFind];
    private static readonly HashSet<string> MoveClasses = [QueryRetrieveClasses.PatientRootMove, QueryRetrieveClasses.StudyRootMove];
    private static readonly HashSet<string> GetClasses = [QueryRetrieveClasses.PatientRootGet, QueryRetrieveClasses.StudyRootGet];

    private readonly HashSet<string> sopClasses;
    private readonly AbstractSyntaxPolicy storage;

    private CalledAe(string aeTitle, AeOptions options, GatewayOptions gateway)
    {
        (AeTitle, Options, Gateway) = (aeTitle, options, gateway);
        Destinations = options.Destinations.Count > 0 ? options.Destinations : [.. gateway.Destinations.Keys];
        Archive = options.Archive.Length > 0 ? options.Archive : Destinations[0];
        FallbackCharacterSet = options.FallbackCharacterSet.Length > 0
            ? SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(options.FallbackCharacterSet)) : null;
        sopClasses = [.. options.SopClasses, .. options.PrivateSopClasses];
        var order = options.TransferSyntaxes.Count > 0 ? options.TransferSyntaxes.Select(Uid.Parse) : DefaultOrder;
        storage = new AbstractSyntaxPolicy([.. order, .. options.PrivateTransferSyntaxes.Select(Uid.Parse)]) { RequestorMayBeScp = options.Get };
    }

    /// <summary>Its AE title.</summary>
    public string AeTitle { get; }

    /// <summary>Its options.</summary>
    public AeOptions Options { get; }

    /// <summary>The whole configuration of that moment.</summary>
    public GatewayOptions Gateway { get; }

    /// <summary>Where objects go; at least one.</summary>
    public IReadOnlyList<string> Destinations { get; }

    /// <summary>The destination that queries go to.</summary>
    public string Archive { get; }

    /// <summary>The character set of text that names none; null for the usual guess.</summary>
    public SpecificCharacterSet? FallbackCharacterSet { get; }

    /// <summary>Finds the AE that a request calls and whether the caller may.</summary>
    /// <param name="gateway">The configuration.</param>
    /// <param name="request">The A-ASSOCIATE-RQ.</param>
    /// <param name="remote">The caller's address.</param>
    /// <param name="certificate">The caller's certificate, already verified.</param>
    /// <param name="reason">Why not.</param>
    public static CalledAe? Find(GatewayOptions gateway, AssociateRequest request, IPAddress? remote, X509Certificate2? certificate, out RejectReason reason)
    {
        reason = RejectReason.CalledAeTitleNotRecognized;
        // AE titles are compared exactly, spaces at the ends left out (PS3.5 6.2, E1).
        var title = gateway.Aes.Keys.FirstOrDefault(key => key == request.CalledAeTitle);
        if (title is null && gateway.Dimse.AcceptAnyCalledAe) title = gateway.Dimse.DefaultAe.Length > 0 ? gateway.Dimse.DefaultAe : gateway.Aes.Keys.First();
        if (title is null) return null;
        reason = RejectReason.CallingAeTitleNotRecognized;
        var options = gateway.Aes[title];
        return options.AllowedCallers.Count == 0 || options.AllowedCallers.Exists(caller => Fits(caller, request.CallingAeTitle, remote, certificate))
            ? new CalledAe(title, options, gateway) : null;
    }

    /// <summary>What is accepted for an abstract syntax; null if nothing.</summary>
    public AbstractSyntaxPolicy? Policy(Uid abstractSyntax)
    {
        var uid = abstractSyntax.Value;
        if (abstractSyntax == WellKnownUids.Verification) return Options.Echo ? new AbstractSyntaxPolicy(Plain) : null;
        if (abstractSyntax == WellKnownUids.StorageCommitmentPushModel) return Options.Commitment ? new AbstractSyntaxPolicy(Plain) : null;
        if (FindClasses.Contains(uid)) return Options.Find ? new AbstractSyntaxPolicy(Plain) : null;
        if (MoveClasses.Contains(uid)) return Options.Move ? new AbstractSyntaxPolicy(Plain) : null;
        if (GetClasses.Contains(uid)) return Options.Get ? new AbstractSyntaxPolicy(Plain) : null;
        return (Options.Store || Options.Get) && IsStorage(uid) ? storage : null;
    }

    /// <summary>
    /// What we support of an extended negotiation of the Query/Retrieve classes (PS3.4 C.5.1.1): relational queries, combined date and time, fuzzy names; no
    /// time zone adjustment.
    /// </summary>
    public static ReadOnlyMemory<byte>? Answer(ExtendedNegotiation asked)
    {
        if (!FindClasses.Contains(asked.SopClass.Value) && !MoveClasses.Contains(asked.SopClass.Value) && !GetClasses.Contains(asked.SopClass.Value))
            return null;
        var answer = asked.Information.ToArray();
        for (var i = 0; i < answer.Length; i++) answer[i] = (byte)(i < 3 && answer[i] == 1 ? 1 : 0);
        return answer;
    }

    /// <summary>
    /// Whether objects may be stored over contexts of an abstract syntax: not over those of verification, query and retrieve, and commitment.
    /// </summary>
    public bool TakesObjectsOf(Uid abstractSyntax) => Options.Store && Policy(abstractSyntax) == storage;

    private bool IsStorage(string uid)
    {
        if (sopClasses.Contains(uid)) return true;
        if (Options.AnySopClass) return !uid.StartsWith("1.2.840.10008.", StringComparison.Ordinal) || !UidNames.IsSopClass(uid) || UidNames.IsArchivable(uid);
        return Options.SopClasses.Count == 0 && UidNames.IsArchivable(uid);
    }

    private static bool Fits(CallerOptions caller, string callingAe, IPAddress? remote, X509Certificate2? certificate)
    {
        if (caller.AeTitle.Length > 0 && caller.AeTitle != callingAe) return false;
        if (remote is { IsIPv4MappedToIPv6: true }) remote = remote.MapToIPv4();
        if (caller.ParsedNetwork is { } network && (remote is null || network.BaseAddress.AddressFamily != remote.AddressFamily || !network.Contains(remote)))
            return false;
        if (caller.Certificate.Length == 0) return true;
        if (certificate is null) return false;
        var fingerprint = caller.Certificate.Replace(":", "", StringComparison.Ordinal);
        return certificate.GetCertHashString(HashAlgorithmName.SHA256).Equals(fingerprint, StringComparison.OrdinalIgnoreCase)
            || certificate.GetNameInfo(X509NameType.SimpleName, false) == caller.Certificate;
    }
}
