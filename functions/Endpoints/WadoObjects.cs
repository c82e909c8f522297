using DicomServerless.Dicom.Web;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Pipelines;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Dicom;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Retrieves whole objects: a study, a series or an instance (PS3.18 10.4.1.1.1), as multipart/related, as a ZIP with a DICOMDIR or, for one instance, as
/// application/dicom.
/// </summary>
internal static class WadoObjects
{
    public static async Task RetrieveAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        var retrieval = context.Archive().Retrieval;
        var instances = await retrieval.ListAsync(uids.Study!.Value, uids.Series, uids.Instance, context.RequestAborted);
        if (instances.Count == 0)
        {
            await NotFound.WriteAsync(context, uids);
            return;
        }
        if (!TryChoose(Accept.Of(context.Request), instances, uids.Instance is not null, out var choice, out var reason))
        {
            await Problem.WriteAsync(context, 406, reason);
            return;
        }
        var etag = ETagOf(instances, choice);
        if (Caching.IsNotModified(context, etag)) return;
        if (choice.Left > 0)
        {
            // PS3.18 table 10.4.3-1: some, but not all, can be given as asked for.
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.AddWarning($"{choice.Left} of {instances.Count} instances are not in the answer. {reason}");
            instances = [.. instances.Where(choice.IsMade)];
        }
        switch (choice.Form)
        {
            case ObjectForm.Multipart:
                await WriteMultipartAsync(context, instances, choice);
                break;
            case ObjectForm.Zip:
                await WriteZipAsync(context, uids, instances, choice);
                break;
            default:
                await WriteSingleAsync(context, instances[0], choice, etag);
                break;
        }
    }

    /// <summary>
    /// Answers with one object as application/dicom, in a transfer syntax: null for explicit little endian where that can be made, * for as stored, or one by
    /// name.
    /// </summary>
    public static async Task SendAsync(HttpContext context, StoredInstance instance, string? transferSyntax)
    {
        var target = transferSyntax switch { null => TransferSyntax.ExplicitVrLittleEndian, "*" => null, _ => Named(transferSyntax) };
        var choice = new Choice(ObjectForm.Single, target);
        if (transferSyntax is not (null or "*") && (target is null || !choice.IsMade(instance)))
        {
            await Problem.WriteAsync(context, 406,
                "The instance is not stored in the transfer syntax asked for and cannot be converted to it; ask for it as stored, with *.");
            return;
        }
        var etag = ETagOf([instance], choice);
        if (!Caching.IsNotModified(context, etag)) await WriteSingleAsync(context, instance, choice, etag);
    }

    private enum ObjectForm { Multipart, Single, Zip }

    /// <summary>How objects are given.</summary>
    /// <param name="Form">As what.</param>
    /// <param name="Target">Null: as stored. Else each object that is not in it and can be converted is.</param>
    /// <param name="Left">How many cannot be given in it, where it was asked for by name.</param>
    private readonly record struct Choice(ObjectForm Form, TransferSyntax? Target, int Left = 0)
    {
        /// <summary>What an object is converted to; null if it goes as it is.</summary>
        public TransferSyntax? Conversion(StoredInstance instance) =>
            Target is not null && instance.TransferSyntaxUid != Target.Uid.Value && instance.TransferSyntax is { } stored
                && TransferSyntaxConverter.CanConvert(stored, Target) ? Target : null;

        public string TransferSyntaxUid(StoredInstance instance) => Conversion(instance)?.Uid.Value ?? instance.TransferSyntaxUid;

        public bool IsMade(StoredInstance instance) => Target is null || TransferSyntaxUid(instance) == Target.Uid.Value;
    }

    // PS3.18 8.7.3.5.2: implicit VR and big endian are never what is given by name.
    private static TransferSyntax? Named(string uid) => TransferSyntax.Find(uid) is { IsExplicitVr: true, IsBigEndian: false } syntax ? syntax : null;

    private static bool TryChoose(Accept accept, IReadOnlyList<StoredInstance> instances,
        bool isInstance, out Choice choice, [NotNullWhen(false)] out string? reason)
    {
        reason = null;
        choice = default;
        foreach (var alternative in accept.Alternatives)
        {
            if (FormOf(accept, alternative, isInstance) is not { } form) continue;
            if (alternative.TransferSyntax is not { } wanted)
            {
                // PS3.18 8.7.3.5.2: explicit little endian where that can be made, else as stored. In a ZIP too: of the uncompressed syntaxes the media
                // profiles have no other (PS3.11 D).
                choice = new Choice(form, TransferSyntax.ExplicitVrLittleEndian);
                return true;
            }
            if (wanted == "*")
            {
                choice = new Choice(form, null);
                return true;
            }
            if (Named(wanted) is not { } target)
            {
                reason ??= "The transfer syntax asked for is not known, or not used over the web (PS3.18 8.7.3.5.2); ask for transfer-syntax=*.";
                continue;
            }
            var named = new Choice(form, target);
            named = named with { Left = instances.Count(instance => !named.IsMade(instance)) };
            if (named.Left == 0)
            {
                choice = named;
                return true;
            }
            reason ??= $"{named.Left} of {instances.Count} instances are not stored in the transfer syntax asked for and cannot be converted to it; ask "
                + $"for transfer-syntax=*.";
            // A part of the objects is better than none, and all of them as another alternative better than that. A ZIP outlives its status, so it is always
            // whole.
            if (named.Left < instances.Count && form == ObjectForm.Multipart && choice.Left == 0) choice = named;
        }
        if (choice.Left > 0) return true;
        reason ??= isInstance ? $"An instance is {Representation.Multipart(MediaTypes.Dicom)}, {MediaTypes.Dicom} or {MediaTypes.Zip}."
            : $"Studies and series are {Representation.Multipart(MediaTypes.Dicom)} or {MediaTypes.Zip}.";
        return false;
    }

    // A ZIP only by name: to a browser that takes anything it would be a download.
    private static ObjectForm? FormOf(Accept accept, AcceptedType alternative, bool isInstance)
    {
        if (Fits(Representation.Multipart(MediaTypes.Dicom), 1)) return ObjectForm.Multipart;
        if (isInstance && Fits(Representation.Single(MediaTypes.Dicom), 1)) return ObjectForm.Single;
        return Fits(Representation.Single(MediaTypes.Zip), 3) ? ObjectForm.Zip : null;

        bool Fits(Representation representation, int least) => alternative.Fit(representation) >= least && !accept.Refuses(representation);
    }

    private static string ETagOf(IReadOnlyList<StoredInstance> instances, Choice choice)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (choice.Left > 0) hash.AppendData(Encoding.ASCII.GetBytes($"only {choice.Target}\n"));
        foreach (var instance in instances)
            hash.AppendData(Encoding.ASCII.GetBytes($"{instance.Key.Series}/{instance.Key.Sop}/{instance.ETag}/{choice.TransferSyntaxUid(instance)}\n"));
        return $"\"{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 12))}{"msz"[(int)choice.Form]}\"";
    }

    private static string PartType(Choice choice, StoredInstance instance) => $"{MediaTypes.Dicom}; transfer-syntax={choice.TransferSyntaxUid(instance)}";

    private static async Task WriteSingleAsync(HttpContext context, StoredInstance instance, Choice choice, string etag)
    {
        var response = context.Response;
        if (choice.Conversion(instance) is null)
        {
            // Ranges are of the bytes that lie there; converted ones are made as they go.
            response.Headers.AcceptRanges = "bytes";
            if (context.Request.Headers.Range.Count > 0)
            {
                response.Headers.ContentLocation = context.UrlOf(instance.Key);
                await Payload.SendAsync(context, PartType(choice, instance), etag, instance.Length, (offset, length, token) =>
                    context.Archive().Retrieval.OpenRangeAsync(instance, offset, length, token));
                return;
            }
        }
        await using var opened = await OpenFirstAsync(context, instance);
        if (opened is null) throw new InstanceChangedException();
        instance = opened.Instance; // it may have been replaced since it was listed
        response.ContentType = PartType(choice, instance);
        response.Headers.ContentLocation = context.UrlOf(instance.Key);
        if (choice.Conversion(instance) is null) response.ContentLength = instance.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await CopyAsync(context, opened, choice);
    }

    private static async Task<OpenedInstance?> OpenFirstAsync(HttpContext context, StoredInstance instance)
    {
        await foreach (var opened in context.Archive().Retrieval.OpenAllAsync([instance], context.RequestAborted)) return opened;
        return null;
    }

    private static async Task WriteMultipartAsync(HttpContext context, IReadOnlyList<StoredInstance> instances, Choice choice)
    {
        var boundary = context.NewBoundary();
        context.Response.ContentType = MultipartWriter.ContentType(MediaTypes.Dicom, boundary);
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var writer = new MultipartWriter(context.Response.BodyWriter, boundary);
        await foreach (var opened in context.Archive().Retrieval.OpenAllAsync(instances, context.RequestAborted))
        {
            await using (opened)
            {
                var instance = opened.Instance;
                writer.Begin(PartType(choice, instance), context.UrlOf(instance.Key), choice.Conversion(instance) is null ? instance.Length : null);
                await CopyAsync(context, opened, choice);
            }
        }
        if (!writer.HasParts) throw new InstanceChangedException(); // all deleted since they were listed
        await writer.EndAsync(context.RequestAborted);
    }

    private static async Task WriteZipAsync(HttpContext context, ResourceUids uids, IReadOnlyList<StoredInstance> instances, Choice choice)
    {
        context.Response.ContentType = MediaTypes.Zip;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{uids.Instance ?? uids.Series ?? uids.Study}.zip\"";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        // The same objects have the same directory: its UID is made of what the ETag is made of (PS3.5 B.2).
        var directory = new BigInteger(SHA256.HashData(Encoding.ASCII.GetBytes(ETagOf(instances, choice))).AsSpan(0, 16), isUnsigned: true);
        var directoryUid = Uid.Parse("2.25." + directory.ToString(CultureInfo.InvariantCulture));
        var zip = new FileSetZip(context.Archive().Retrieval, context.Settings().Archive.Limits);
        await zip.WriteAsync(context.Response.BodyWriter, instances, (opened, file) =>
            WriteFileAsync(context, opened, choice, file), directoryUid, context.RequestAborted);
    }

    private static async Task WriteFileAsync(HttpContext context, OpenedInstance opened, Choice choice, Stream file)
    {
        context.Telemetry().BytesOut.Add(opened.Instance.Length);
        if (choice.Conversion(opened.Instance) is { } target) await ConvertAsync(context, opened, file, target);
        else
        {
            var output = PipeWriter.Create(file, new StreamPipeWriterOptions(minimumBufferSize: 64 * 1024, leaveOpen: true));
            await Payload.CopyAsync(opened.Content, output, opened.Instance.Length, context.RequestAborted);
            await output.CompleteAsync();
        }
    }

    private static async Task CopyAsync(HttpContext context, OpenedInstance opened, Choice choice)
    {
        var counted = context.Telemetry().BytesOut;
        counted.Add(opened.Instance.Length);
        var output = context.Response.BodyWriter.AsStream(leaveOpen: true);
        if (choice.Conversion(opened.Instance) is { } target) await ConvertAsync(context, opened, output, target);
        else await Payload.CopyAsync(opened.Content, context.Response.BodyWriter, opened.Instance.Length, context.RequestAborted);
    }

    // It was read whole when it was stored, so an error here is damage: the answer is cut off, never ended as if it were complete.
    private static async Task ConvertAsync(HttpContext context, OpenedInstance opened, Stream output, TransferSyntax target)
    {
        if (await TransferSyntaxConverter.ConvertAsync(opened.Content, output, target, context.Settings().Archive.Limits, context.RequestAborted) is { } error)
            throw new InvalidDataException("A stored object cannot be converted: " + error.Message);
    }
}
